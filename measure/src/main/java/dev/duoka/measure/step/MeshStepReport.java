package dev.duoka.measure.step;

import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A {@link MeshStepSpeed} for programs, rounded for people. */
public final class MeshStepReport {
  /** The name of the field with what each rank took. */
  public static final String RANKS = "by_rank";

  private MeshStepReport() {}

  /** Adds the results to a report. */
  public static void describe(MeshStepSpeed speed, ObjectNode report) {
    report.put("ranks", speed.ranks().size());
    report.put("tokens_per_step", speed.job().tokens());
    if (speed.isMeasured()) {
      putTimes(speed, report);
    }
    ArrayNode ranks = report.putArray(RANKS);
    speed.ranks().forEach(rank -> describe(rank, ranks.addObject()));
  }

  private static void putTimes(MeshStepSpeed speed, ObjectNode report) {
    speed.transport().ifPresent(it -> report.put("collectives", it.toString()));
    report.put("step_ms", round(speed.medianMilliseconds(), 2));
    report.put("step_ms_fastest", round(speed.milliseconds().getMin(), 2));
    report.put("step_ms_slowest", round(speed.milliseconds().getMax(), 2));
    report.put("tokens_per_second", round(speed.tokensPerSecond(), 0));
    report.put("tokens_per_second_per_rank", round(speed.tokensPerSecondOfRank(), 0));
    speed.mfu().ifPresent(mfu -> report.put("mfu", round(mfu, 4)));
    report.put("mfu_against", speed.measured().getFirst().peak().source());
    report.put("floor_ms", round(speed.floorMilliseconds(), 4));
    speed
        .rooflineUtilisation()
        .ifPresent(share -> report.put("roofline_utilisation", round(share, 4)));
    putMilliseconds(report, speed.exposedMilliseconds());
    speed.expertLoad().ifPresent(load -> load.describe(report));
    StepBenchmark.Result first = speed.measured().getFirst().result();
    report.put("loss", round(first.losses().getLast(), 4));
    ArrayNode losses = report.putArray("losses");
    first.losses().forEach(losses::add);
    report.put("first_step_seconds", round(first.firstStepSeconds(), 1));
  }

  private static void describe(MeshStepSpeed.Rank rank, ObjectNode json) {
    json.put("rank", rank.number());
    json.put("predicted_peak_bytes", rank.predictedBytes());
    putOwners(json, "predicted_by_owner", rank.predicted());
    if (rank.taken().isPresent()) {
      RankSteps taken = rank.taken().get();
      json.put("device", taken.deviceName());
      json.put("step_ms", round(taken.milliseconds(), 2));
      json.put("floor_ms", round(rank.floorSeconds() * 1e3, 4));
      putMilliseconds(json, taken.exposedMilliseconds());
      json.put("peak_bytes", taken.result().peakBytes());
      putOwners(json, "by_owner", OwnerLabels.of(taken.result().peakByOwner()));
      taken.driverBytes().ifPresent(bytes -> json.put("driver_bytes", bytes));
    }
  }

  private static void putMilliseconds(ObjectNode json, Map<String, Double> exposed) {
    ObjectNode groups = json.putObject("exposed_ms");
    exposed.forEach((group, time) -> groups.put(group, round(time, 3)));
  }

  private static void putOwners(ObjectNode json, String name, Map<String, Long> owners) {
    ObjectNode bytes = json.putObject(name);
    owners.forEach((owner, it) -> bytes.put(owner, it));
  }

  private static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
