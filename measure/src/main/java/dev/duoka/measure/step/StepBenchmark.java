package dev.duoka.measure.step;

import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.memory.StepMemory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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
      boolean deterministic) {
    /** Tokens in a step. */
    public long tokens() {
      return (long) microBatch * accumulation * length;
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
   */
  public record Result(
      List<Double> seconds,
      List<Double> losses,
      double firstStepSeconds,
      long peakBytes,
      Map<MemoryOwner, Long> peakByOwner,
      long driverBytes) {
    /** The median step. */
    public double medianSeconds() {
      return seconds.stream().sorted().toList().get(seconds.size() / 2);
    }
  }

  private StepBenchmark() {}

  /** Runs the benchmark on the calling thread. */
  public static Result run(Spec spec, @Nullable FunctionObserver observer) {
    ComputeThread.prepare(spec.device(), spec.cpuThreads(), 1);
    if (!spec.device().isMeta()) {
      DryRunJob step = new DryRunJob(settings(spec), 1, spec.microBatch(), spec.accumulation());
      StepMemory.of(step, spec.device(), spec.deterministic()).require();
    }
    Determinism.require(spec.deterministic());
    try (TrainingRank rank =
        TrainingRank.allocate(new SingleRank(), spec.device(), settings(spec))) {
      WeightInitializer.initialize(rank.model(), 1);
      rank.optimizer().adoptValues();
      return run(spec, rank.step(), observer);
    }
  }

  private static Result run(Spec spec, TrainingStep step, @Nullable FunctionObserver observer) {
    MemoryLedger ledger = MemoryLedger.of(spec.device());
    Readings readings = new Readings(spec.warmUp());
    int last = spec.warmUp() + spec.steps() - 1;
    TrainingStep.PendingStep unread = null;
    for (int i = 0; i <= last; i++) {
      if (i == spec.warmUp()) {
        ledger.resetPeak();
        step.observe(observer);
      }
      TrainingStep.PendingStep launched = step.launch(batch(spec, i), 3e-4);
      if (unread != null) {
        readings.read(unread);
      }
      unread = launched;
      // As in a run, a step is read when the next is launched, unless something depends on it.
      if (i == 0 || i == spec.warmUp() - 1 || i == last || observer != null) {
        readings.read(launched);
        unread = null;
      }
    }
    long driver = spec.device().isCuda() ? Gpus.memoryOfThisProcess(spec.device()).orElse(0L) : 0;
    return new Result(
        readings.seconds,
        readings.losses,
        readings.firstStep,
        ledger.peakBytes(),
        ledger.peakByOwner(),
        driver);
  }

  /** What the steps gave, in order; a step's time is that since the one before was read. */
  private static final class Readings {
    private final int warmUp;
    private final List<Double> seconds = new ArrayList<>();
    private final List<Double> losses = new ArrayList<>();
    private double firstStep = Double.NaN;
    private long clock = System.nanoTime();
    private int count;

    Readings(int warmUp) {
      this.warmUp = warmUp;
    }

    void read(TrainingStep.PendingStep step) {
      double loss = step.await().loss();
      long end = System.nanoTime();
      if (count == 0) {
        Instant now = Instant.now();
        Instant began = ProcessHandle.current().info().startInstant().orElse(now);
        firstStep = Duration.between(began, now).toMillis() * 1e-3;
      }
      if (count >= warmUp) {
        seconds.add((end - clock) * 1e-9);
        losses.add(loss);
      }
      clock = end;
      count++;
    }
  }

  private static StepBatch batch(Spec spec, long seed) {
    List<MicroBatch> microBatches = new ArrayList<>();
    for (int i = 0; i < spec.accumulation(); i++) {
      microBatches.add(
          MicroBatch.random(
              spec.microBatch(),
              spec.length(),
              spec.model().vocabSize(),
              seed * spec.accumulation() + i));
    }
    return new StepBatch(microBatches, spec.tokens(), DataState.START, DataState.START);
  }

  private static StepSettings settings(Spec spec) {
    double clipNorm = spec.precision().defaultClipNorm();
    return new StepSettings(
        spec.model(),
        spec.precision(),
        spec.recompute(),
        spec.length(),
        new AdamWSettings(0.9, 0.95, 1e-8, 0.1, clipNorm),
        0,
        LossScaler.Settings.DEFAULT,
        StepSettings.AuxiliaryLosses.of(spec.model()));
  }
}
