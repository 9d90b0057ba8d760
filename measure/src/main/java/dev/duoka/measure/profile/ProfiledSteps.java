package dev.duoka.measure.profile;

import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.step.StepBenchmark;
import dev.duoka.measure.step.StepJob;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.nio.file.Path;
import java.util.List;

/**
 * The time of a step, part by part.
 *
 * @param rates what the device can do at best
 * @param milliseconds of a step, the mean
 * @param lines the parts, the largest lever first
 * @param spans each part of each step, for a trace
 */
public record ProfiledSteps(
    DeviceRates rates,
    double milliseconds,
    List<StepProfile.Line> lines,
    List<StepProfile.Span> spans) {
  private static final int WARM_UP = 2;

  /** Runs the step on the calling thread, {@code steps} times that count. */
  public static ProfiledSteps run(StepJob job, int steps) {
    Device device = job.device().device();
    ComputeThread.prepare(device, job.cpuThreads(), 1);
    DeviceRates rates =
        DeviceRates.measure(device, new PrecisionPolicy(job.precision()).computeDtype());
    try (StepProfile profile = new StepProfile(device)) {
      StepBenchmark.Result result = StepBenchmark.run(job.on(device, WARM_UP, steps), profile);
      List<StepProfile.Span> spans = profile.spans();
      double milliseconds =
          1e3 * result.seconds().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      return new ProfiledSteps(rates, milliseconds, StepProfile.table(spans, steps, rates), spans);
    }
  }

  /** What no part accounts for. */
  public double restMilliseconds() {
    return Math.max(
        0, milliseconds - lines.stream().mapToDouble(StepProfile.Line::milliseconds).sum());
  }

  /** The least time that the parts need. */
  public double floorMilliseconds() {
    return lines.stream().mapToDouble(StepProfile.Line::floorMilliseconds).sum();
  }

  /** The floor in percent of the step. */
  public double floorPercent() {
    return 100 * floorMilliseconds() / milliseconds;
  }

  /** Writes the trace. */
  public void writeTrace(Path file) {
    PerfettoTrace.write(file, spans, rates);
  }
}
