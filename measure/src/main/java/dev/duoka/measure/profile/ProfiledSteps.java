package dev.duoka.measure.profile;

import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.step.StepBenchmark;
import dev.duoka.measure.step.StepFloor;
import dev.duoka.measure.step.StepJob;
import dev.duoka.measure.step.StepSpeed;
import dev.duoka.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The time of a step, part by part.
 *
 * @param speed of the whole step: the mean, since the parts add up to it
 * @param rates what the device can do at best
 * @param lines the parts, the largest lever first
 * @param spans each part of each step, for a trace
 */
public record ProfiledSteps(
    StepSpeed speed,
    DeviceRates rates,
    List<StepProfile.Line> lines,
    List<StepProfile.Span> spans) {
  private static final int WARM_UP = 2;

  /**
   * Runs the step on the calling thread, {@code steps} times that count.
   *
   * @param calibration gives the rates of the step's device
   */
  public static ProfiledSteps run(StepJob job, int steps, Supplier<DeviceRates> calibration) {
    Device device = job.device().device();
    try (StepProfile profile = new StepProfile(device)) {
      StepBenchmark.Result result = StepBenchmark.run(job.on(device, WARM_UP, steps), profile);
      List<StepProfile.Span> spans = profile.spans();
      double seconds =
          result.seconds().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      StepFloor floor = StepFloor.of(job);
      DeviceRates rates = calibration.get();
      List<StepProfile.Line> lines = StepProfile.table(spans, steps, rates, floor);
      return new ProfiledSteps(
          StepSpeed.of(job, result, seconds, floor.seconds(rates, seconds)), rates, lines, spans);
    }
  }

  /** What no part accounts for. */
  public double restMilliseconds() {
    return StepProfile.rest(speed.milliseconds(), lines);
  }

  /** Adds the step's numbers and its parts to a report. */
  public void describe(ObjectNode report) {
    report.put("step_ms", speed.milliseconds());
    report.put("tokens_per_second", speed.tokensPerSecond());
    speed.mfu().ifPresent(mfu -> report.put("mfu", mfu));
    report.put("mfu_against", speed.deviceFlopsSource());
    report.put("floor_ms", speed.floorMilliseconds());
    speed.rooflineUtilisation().ifPresent(share -> report.put("roofline_utilisation", share));
    rates.describe(report);
    ArrayNode parts = report.putArray("parts");
    for (StepProfile.Line line : lines) {
      line.describe(parts.addObject());
    }
    report.put("rest_ms", restMilliseconds());
  }

  /** Writes the trace. */
  public void writeTrace(Path file) {
    PerfettoTrace.write(
        file, List.of(new RankTrace("the step", spans, List.of(), List.of())), rates);
  }
}
