package dev.duoka.train.parity;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.SingleRank;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Optimizer steps from a folder's weights, as often as wanted.
 *
 * @param weights where every run starts
 * @param batches one for each step; their sizes may differ
 */
record OptimizerSteps(
    ModelConfig config,
    ModelFactory.Allocation allocation,
    SafetensorsFolder weights,
    List<TokenIds> batches,
    AdamWSettings settings) {
  private static final double LEARNING_RATE = 1e-2;

  /** The losses before each step, and the gradient norms before clipping. */
  static final class Series {
    private final double[] losses;
    private final double[] norms;

    private Series(int steps) {
      losses = new double[steps];
      norms = new double[steps];
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
    try (LanguageModel model = ModelFactory.create(config, allocation)) {
      WeightReader.readAll(weights, model.weights(), model.buffers());
      if (perturbation != 0) {
        perturb(model.parameters().values(), perturbation);
      }
      try (ShardedAdamW optimizer =
          new ShardedAdamW(model.parameters(), new SingleRank(), settings, 0)) {
        for (int step = 0; step < batches.size(); step++) {
          model.parameters().resetGradients();
          series.losses[step] = lossAndGradients(model, batches.get(step));
          series.norms[step] = optimizer.step(LEARNING_RATE, 1).gradientNorm();
        }
      }
    }
    return series;
  }

  private double lossAndGradients(LanguageModel model, TokenIds ids) {
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        TokenBatch batch = ids.onDevice(allocation.device())) {
      Pass pass = Pass.overSequences(tape, ids.sequences(), model.rotary(), null);
      Losses result = model.losses(pass, batch, new LossWeights(1.0 / ids.targets(), 0));
      tape.backward(result.next());
      return HostCopy.item(result.next().value()) / ids.targets();
    }
  }

  /** Multiplies every weight by a number within 2⁻²³ of 1, the distance of neighbours in fp32. */
  private static void perturb(Tensor values, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] factors = new float[Math.toIntExact(values.elements())];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (1 + random.nextDouble(-0x1p-23, 0x1p-23));
    }
    Device device = values.device();
    try (Tensor factor = HostCopy.fromFloats(factors, Dtype.FLOAT32, device, factors.length)) {
      Elementwise.mulInPlace(values, factor);
    }
  }
}
