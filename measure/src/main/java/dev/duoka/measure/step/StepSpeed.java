package dev.duoka.measure.step;

import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.tensor.Device;
import dev.duoka.train.device.DevicePeak;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/**
 * How fast a step is and what memory it takes. On {@code meta} nothing is computed: times are those
 * of the dry run, and the device's rate is unknown.
 *
 * @param seconds of a step
 * @param floorSeconds the least time that the device needs for it ({@link StepFloor}); NaN on
 *     {@code meta}
 * @param losses of each counted step
 * @param firstStepSeconds from the start of this process to the end of the first step
 * @param peakBytes of live tensors
 * @param peakByOwner what they were
 * @param driverBytes of the card that the driver books on this process; 0 on the CPU
 * @param expertLoad how the tokens were spread over experts; empty on {@code meta} and without
 *     experts
 * @param deviceFlops what the device reaches at best, a second; NaN where it is unknown
 * @param deviceFlopsSource where that figure comes from
 */
public record StepSpeed(
    StepJob job,
    double seconds,
    double floorSeconds,
    List<Double> losses,
    double firstStepSeconds,
    long peakBytes,
    Map<String, Long> peakByOwner,
    long driverBytes,
    Optional<ExpertLoad> expertLoad,
    double deviceFlops,
    String deviceFlopsSource) {
  private static final double GIB = 0x1p30;

  /**
   * Runs the step on the calling thread, and measures what the device reaches at best afterwards:
   * before, it would count in the memory that the driver books, and in the time of the first step.
   *
   * @param warmUp steps that are not counted
   * @param steps steps that are; the time is their median
   * @param calibration gives the rates of the step's device
   */
  public static StepSpeed measure(
      StepJob job, int warmUp, int steps, Supplier<DeviceRates> calibration) {
    Device device = job.device().device();
    StepBenchmark.Result result = StepBenchmark.run(job.on(device, warmUp, steps), null);
    double seconds = result.medianSeconds();
    double floor =
        device.isMeta() ? Double.NaN : StepFloor.of(job).seconds(calibration.get(), seconds);
    return of(job, result, seconds, floor);
  }

  /** The speed of a step that was run. */
  public static StepSpeed of(
      StepJob job, StepBenchmark.Result result, double seconds, double floorSeconds) {
    DevicePeak peak = DevicePeak.of(job.device().device());
    return new StepSpeed(
        job,
        seconds,
        floorSeconds,
        result.losses(),
        result.firstStepSeconds(),
        result.peakBytes(),
        OwnerLabels.of(result.peakByOwner()),
        result.driverBytes(),
        result.loads().isEmpty()
            ? Optional.empty()
            : ExpertLoad.of(job.ofOneRank(), List.of(result.loads())),
        peak.flopsPerSecond(),
        peak.source());
  }

  /** Of a step. */
  public double milliseconds() {
    return seconds * 1e3;
  }

  /** The least time that the device needs for a step; NaN on {@code meta}. */
  public double floorMilliseconds() {
    return floorSeconds * 1e3;
  }

  /** The floor's share in the step's time; empty on {@code meta}. */
  public OptionalDouble rooflineUtilisation() {
    return Double.isFinite(floorSeconds)
        ? OptionalDouble.of(floorSeconds / seconds)
        : OptionalDouble.empty();
  }

  /** At this time of a step. */
  public double tokensPerSecond() {
    return job.tokens() / seconds;
  }

  /** Model FLOPs utilisation; empty where the device's peak is unknown. */
  public OptionalDouble mfu() {
    double flops = tokensPerSecond() * job.flopsPerToken();
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
