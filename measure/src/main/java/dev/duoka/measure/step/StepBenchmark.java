package dev.duoka.measure.step;

import dev.duoka.base.Median;
import dev.duoka.comm.SingleRank;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.memory.StepMemory;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Times whole training steps on one device, on random tokens: the step of a real run without its
 * data, metrics and checkpoints. On {@code meta} nothing is computed and the memory alone counts.
 */
public final class StepBenchmark {
  /**
   * What to run.
   *
   * @param microBatch sequences in a forward pass
   * @param accumulation forward passes in a step
   * @param length tokens in a sequence
   * @param warmUp steps that are not counted
   * @param steps steps that are
   * @param states in which form gradients and the optimizer's states are kept, and where
   * @param tokenKinds how many different tokens there are
   */
  public record Spec(
      ModelConfig model,
      Precision precision,
      Recompute recompute,
      Device device,
      int microBatch,
      int accumulation,
      int length,
      int warmUp,
      int steps,
      int cpuThreads,
      StateSettings states,
      boolean deterministic,
      int tokenKinds) {
    /** Tokens in a step. */
    public long tokens() {
      return (long) microBatch * accumulation * length;
    }

    /** What the step of a rank that is alone is made from. */
    StepSettings settings() {
      return new StepSettings(
              model,
              precision,
              recompute,
              length,
              new AdamWSettings(0.9, 0.95, 1e-8, 0.1, precision.defaultClipNorm()),
              0,
              LossScaler.Settings.DEFAULT,
              StepSettings.AuxiliaryLosses.of(model))
          .with(states);
    }

    /** The tokens that one of some data-parallel ranks reads. */
    RandomBatches batches(int dataRank, int dataRanks) {
      return new RandomBatches(
          microBatch, accumulation, length, tokenKinds, dataRank, dataRanks, false);
    }
  }

  /**
   * What came out.
   *
   * @param seconds of each counted step, in order
   * @param losses of each counted step
   * @param firstStepSeconds from the start of this process to the end of the first step
   * @param peakBytes of live tensors in the counted steps
   * @param peakByOwner what they were
   * @param driverBytes of the card that the driver books on this process at the end; 0 on the CPU
   * @param loads how many tokens each expert got in a further step, by mixture; empty on {@code
   *     meta} and without experts
   */
  public record Result(
      List<Double> seconds,
      List<Double> losses,
      double firstStepSeconds,
      long peakBytes,
      Map<MemoryOwner, Long> peakByOwner,
      long driverBytes,
      List<long[]> loads) {
    /** The same with the load of experts. */
    Result with(List<long[]> ofExperts) {
      return new Result(
          seconds, losses, firstStepSeconds, peakBytes, peakByOwner, driverBytes, ofExperts);
    }

    /** The median step. */
    public double medianSeconds() {
      return Median.of(seconds);
    }
  }

  private StepBenchmark() {}

  /** Runs the benchmark on the calling thread. */
  public static Result run(Spec spec, @Nullable FunctionObserver observer) {
    ComputeThread.prepare(spec.device(), spec.cpuThreads(), 1);
    if (!spec.device().isMeta()) {
      DryRunJob step = new DryRunJob(spec.settings(), 1, spec.microBatch(), spec.accumulation());
      StepMemory.of(step, spec.device(), spec.deterministic()).require();
    }
    Determinism.require(spec.deterministic());
    try (TrainingRank rank =
        TrainingRank.allocate(new SingleRank(), spec.device(), spec.settings())) {
      WeightInitializer.initialize(rank.model(), 1);
      rank.optimizer().adoptValues();
      CountedSteps counted =
          new CountedSteps(
              rank.step(), spec.batches(0, 1), spec.device(), MemoryLedger.of(spec.device()));
      Result result = counted.run(spec.warmUp(), spec.steps(), observer);
      return spec.device().isMeta() ? result : result.with(counted.loads(rank.model()));
    }
  }
}
