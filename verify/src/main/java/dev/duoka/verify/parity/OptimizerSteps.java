package dev.duoka.verify.parity;

import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.checkpoint.StoredModel;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Optimizer steps from a folder's weights, as often as wanted.
 *
 * @param weights where every run starts
 * @param batches one for each step; their sizes may differ
 */
record OptimizerSteps(
    StepSettings settings, Device device, StoredModel weights, List<TokenIds> batches) {
  static final double LEARNING_RATE = 1e-2;

  /** The losses before each step, and the gradient norms before clipping. */
  static final class Series {
    private final double[] losses;
    private final double[] norms;
    private MergedTensors merged = MergedTensors.NONE;

    Series(int steps) {
      losses = new double[steps];
      norms = new double[steps];
    }

    void set(int step, TrainingStep.Result result) {
      losses[step] = result.loss();
      norms[step] = result.outcome().gradientNorm();
    }

    /** Takes what the steps have led to, from a rank that has the whole model. */
    void end(LanguageModel model) {
      merged = MergedTensors.of(model);
    }

    /** Weights with their adapters after the last step; empty where no rank has the whole model. */
    MergedTensors merged() {
      return merged;
    }

    double[] losses() {
      return losses;
    }

    double[] norms() {
      return norms;
    }
  }

  /**
   * Takes the steps.
   *
   * @param perturbation 0, or the seed of a change of every weight by about its last bit
   */
  Series run(int perturbation) {
    Series series = new Series(batches.size());
    try (TrainingRank rank = TrainingRank.allocate(new SingleRank(), device, settings)) {
      LanguageModel model = rank.model();
      weights.read(model, Progress.NONE);
      if (perturbation != 0) {
        perturb(model.parameters(), perturbation);
      }
      rank.optimizer().adoptValues();
      for (int step = 0; step < batches.size(); step++) {
        TrainingStep.Result result = rank.step().run(batch(batches.get(step)), LEARNING_RATE);
        series.set(step, result);
      }
      series.end(model);
    }
    return series;
  }

  private static StepBatch batch(TokenIds ids) {
    return new StepBatch(
        List.of(ids.microBatch()), ids.targets(), DataState.START, DataState.START);
  }

  /** Multiplies every weight by a number within 2⁻²³ of 1, the distance of neighbours in fp32. */
  private static void perturb(ParameterStore parameters, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (Bucket bucket : parameters.buckets()) {
      Tensor values = bucket.values();
      float[] factors = factors(random, Math.toIntExact(values.elements()));
      Device device = values.device();
      try (Tensor factor = HostCopy.fromFloats(factors, Dtype.FLOAT32, device, factors.length)) {
        Elementwise.mulInPlace(values, factor);
      }
    }
  }

  /** Numbers within 2⁻²³ of 1. */
  static float[] factors(SplittableRandom random, int count) {
    float[] factors = new float[count];
    for (int i = 0; i < count; i++) {
      factors[i] = (float) (1 + random.nextDouble(-0x1p-23, 0x1p-23));
    }
    return factors;
  }
}
