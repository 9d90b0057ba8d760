package dev.duoka.measure.step;

import dev.duoka.comm.ExposedTime;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.layer.MixtureOfExperts;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.op.HostCopy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Runs the steps of one rank on random tokens, times them and counts their memory. */
final class CountedSteps {
  private static final double LEARNING_RATE = 3e-4;

  private final TrainingStep step;
  private final RandomBatches batches;
  private final Device device;
  private final MemoryLedger ledger;
  private final List<Double> seconds = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();
  private double firstStep = Double.NaN;
  private long launched;
  private long read;

  /**
   * Steps to run.
   *
   * @param ledger books what the rank holds on its device
   */
  CountedSteps(TrainingStep step, RandomBatches batches, Device device, MemoryLedger ledger) {
    this.step = step;
    this.batches = batches;
    this.device = device;
    this.ledger = ledger;
  }

  /**
   * Runs steps of which the last ones count; a step's time is the device's own, from the end of the
   * one before it. Collective.
   *
   * @param observer sees the steps that count; null for nobody
   */
  StepBenchmark.Result run(int warmUp, int steps, @Nullable FunctionObserver observer) {
    int last = warmUp + steps - 1;
    step.markStart();
    TrainingStep.PendingStep unread = null;
    for (int i = 0; i <= last; i++) {
      if (i == warmUp) {
        ledger.resetPeak();
        step.observe(observer);
      }
      TrainingStep.PendingStep pending = launch();
      if (unread != null) {
        read(unread, warmUp);
      }
      unread = pending;
      // As in a run, a step is read when the next is launched, unless something depends on it.
      if (i == 0 || i == warmUp - 1 || i == last || observer != null) {
        read(pending, warmUp);
        unread = null;
      }
    }
    step.observe(null);
    long driver = device.isCuda() ? Gpus.memoryOfThisProcess(device).orElse(0L) : 0;
    return new StepBenchmark.Result(
        List.copyOf(seconds),
        List.copyOf(losses),
        firstStep,
        ledger.peakBytes(),
        ledger.peakByOwner(),
        driver,
        List.of());
  }

  /**
   * Runs further steps, and gives the seconds of each that the rank did nothing but exchange with
   * each of its groups. They are apart because their marks take a little time. Collective.
   */
  Map<String, Double> exposed(ExposedTime measuring, int steps) {
    Map<String, Double> sums = new TreeMap<>();
    for (int i = 0; i < steps; i++) {
      measuring.start();
      TrainingStep.PendingStep pending = launch();
      ExposedTime.Recording recording = measuring.stop();
      pending.await();
      recording.seconds().forEach((group, time) -> sums.merge(group, time / steps, Double::sum));
    }
    return sums;
  }

  /**
   * Runs one further step, and gives how many of this rank's tokens each expert got in it, for each
   * mixture of experts that the rank holds, in the order of the layers; none without experts. It is
   * apart because it reads every count at once. Collective.
   */
  List<long[]> loads(LanguageModel model) {
    MoeConfig moe = model.config().moe();
    if (moe == null) {
      return List.of();
    }
    List<long[]> loads = new ArrayList<>();
    for (MixtureOfExperts mixture : model.mixtures()) {
      long[] sums = new long[moe.routedExperts()];
      loads.add(sums);
      mixture.observeLoad(
          counts -> {
            long[] more = HostCopy.longs(counts);
            Arrays.setAll(sums, i -> sums[i] + more[i]);
          });
    }
    launch().await();
    model.mixtures().forEach(mixture -> mixture.observeLoad(null));
    return loads;
  }

  private TrainingStep.PendingStep launch() {
    return step.launch(batches.of(launched++), LEARNING_RATE);
  }

  private void read(TrainingStep.PendingStep pending, int warmUp) {
    TrainingStep.Result result = pending.await();
    if (read == 0) {
      Instant now = Instant.now();
      Instant began = ProcessHandle.current().info().startInstant().orElse(now);
      firstStep = Duration.between(began, now).toMillis() * 1e-3;
    }
    if (read >= warmUp) {
      seconds.add(result.seconds());
      losses.add(result.loss());
    }
    read++;
  }
}
