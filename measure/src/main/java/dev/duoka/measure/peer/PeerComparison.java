package dev.duoka.measure.peer;

import dev.duoka.measure.step.StepJob;
import dev.duoka.measure.step.StepSpeed;
import java.io.PrintWriter;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A step of ours, and what another program reported of the same if one was run.
 *
 * @param ours our step
 * @param peer the other program's run, before ours
 */
public record PeerComparison(StepSpeed ours, PeerRun peer) {
  /** The name of the field with the bytes by owner. */
  public static final String OWNERS = "memory_by_owner";

  /**
   * Runs the other program first, so that the card is free: what this process once took it keeps to
   * its end.
   *
   * @param command the other program, as a shell command; null for none
   */
  public static PeerComparison run(
      StepJob job, int warmUp, int steps, @Nullable String command, PrintWriter progress) {
    PeerRun peer = PeerRun.of(command, progress);
    return new PeerComparison(StepSpeed.measure(job, warmUp, steps, job::calibrate), peer);
  }

  /** From the start of this process to the end of its first step, without the other program. */
  public double firstStepSeconds() {
    return ours.firstStepSeconds() - peer.seconds();
  }

  /** Our tokens per second by the other program's; empty on {@code meta} and without one. */
  public OptionalDouble speedRatio() {
    return peer.speedRatio(tokensPerSecond());
  }

  /** Our peak by the other program's; empty where that is unknown. */
  public OptionalDouble memoryRatio() {
    return peer.memoryRatio(ours.peakGib());
  }

  /** NaN on {@code meta}. */
  private double tokensPerSecond() {
    return ours.job().device().isMeta() ? Double.NaN : ours.tokensPerSecond();
  }

  /** Adds the results to a report, rounded for people. */
  public void describe(ObjectNode report) {
    if (!ours.job().device().isMeta()) {
      putTimes(report);
    }
    report.put("peak_gib", round(ours.peakGib(), 2));
    if (ours.job().device().isCuda()) {
      report.put("driver_gib", round(ours.driverGib(), 2));
    }
    ObjectNode owners = report.putObject(OWNERS);
    ours.peakByOwner().forEach((owner, bytes) -> owners.put(owner, bytes));
    peer.describe(report, tokensPerSecond(), ours.peakGib());
  }

  /** What only a device that computes has. */
  private void putTimes(ObjectNode report) {
    report.put("step_ms", round(ours.milliseconds(), 2));
    report.put("tokens_per_second", round(ours.tokensPerSecond(), 0));
    ours.mfu().ifPresent(mfu -> report.put("mfu", round(mfu, 4)));
    report.put("mfu_against", ours.deviceFlopsSource());
    report.put("floor_ms", round(ours.floorMilliseconds(), 4));
    ours.rooflineUtilisation()
        .ifPresent(share -> report.put("roofline_utilisation", round(share, 4)));
    report.put("loss", round(ours.losses().getLast(), 4));
    ArrayNode losses = report.putArray("losses");
    ours.losses().forEach(losses::add);
    report.put("first_step_seconds", round(firstStepSeconds(), 1));
    ours.expertLoad().ifPresent(load -> load.describe(report));
  }

  private static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
