package dev.duoka.measure.step;

import dev.duoka.formats.modelconfig.ModelFlops;
import dev.duoka.train.device.DevicePeak;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How fast a step is and what memory it takes. On {@code meta} nothing is computed: times are those
 * of the dry run, and the device's rate is unknown.
 *
 * @param seconds the median step
 * @param losses of each counted step
 * @param firstStepSeconds from the start of this process to the end of the first step
 * @param peakBytes of live tensors
 * @param peakByOwner what they were
 * @param driverBytes of the card that the driver books on this process; 0 on the CPU
 * @param deviceFlops what the device reaches at best, a second; NaN where it is unknown
 * @param deviceFlopsSource where that figure comes from
 */
public record StepSpeed(
    StepJob job,
    double seconds,
    List<Double> losses,
    double firstStepSeconds,
    long peakBytes,
    Map<String, Long> peakByOwner,
    long driverBytes,
    double deviceFlops,
    String deviceFlopsSource) {
  private static final double GIB = 0x1p30;

  /**
   * Runs the step on the calling thread.
   *
   * @param warmUp steps that are not counted
   * @param steps steps that are
   */
  public static StepSpeed measure(StepJob job, int warmUp, int steps) {
    StepBenchmark.Result result =
        StepBenchmark.run(job.on(job.device().device(), warmUp, steps), null);
    DevicePeak peak = DevicePeak.of(job.device().device());
    return new StepSpeed(
        job,
        result.medianSeconds(),
        result.losses(),
        result.firstStepSeconds(),
        result.peakBytes(),
        OwnerLabels.of(result.peakByOwner()),
        result.driverBytes(),
        peak.flopsPerSecond(),
        peak.source());
  }

  /** The median step. */
  public double milliseconds() {
    return seconds * 1e3;
  }

  /** At the median step. */
  public double tokensPerSecond() {
    return job.tokens() / seconds;
  }

  /** Model FLOPs utilisation; empty where the device's peak is unknown. */
  public OptionalDouble mfu() {
    double flops = tokensPerSecond() * ModelFlops.perToken(job.model(), job.length());
    return Double.isFinite(deviceFlops)
        ? OptionalDouble.of(flops / deviceFlops)
        : OptionalDouble.empty();
  }

  /** GiB of live tensors at the peak. */
  public double peakGib() {
    return peakBytes / GIB;
  }

  /** GiB that the driver books on this process. */
  public double driverGib() {
    return driverBytes / GIB;
  }
}
