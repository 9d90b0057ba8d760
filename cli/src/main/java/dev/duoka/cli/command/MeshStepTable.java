package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.measure.step.MeshStepSpeed;
import dev.duoka.measure.step.RankSteps;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What each rank of a mesh took, line by line. */
final class MeshStepTable {
  private MeshStepTable() {}

  static void print(PrintWriter out, MeshStepSpeed speed) {
    out.printf("%n%4s %-8s %12s %12s", "rank", "device", "predicted", "taken");
    out.println("             driver      step ms   exposed ms by group");
    speed.ranks().forEach(rank -> out.println(line(rank)));
  }

  private static String line(MeshStepSpeed.Rank rank) {
    String predicted = ByteSize.text(rank.predictedBytes());
    if (rank.taken().isEmpty()) {
      return String.format("%4d %-8s %12s", rank.number(), "meta", predicted);
    }
    RankSteps taken = rank.taken().get();
    return String.format(
        Locale.ROOT,
        "%4d %-8s %12s %12s %+8.2f %% %12s %9.2f   %s",
        rank.number(),
        taken.deviceName(),
        predicted,
        ByteSize.text(taken.result().peakBytes()),
        rank.errorPercent().orElse(Double.NaN),
        taken.driverBytes().isPresent() ? ByteSize.text(taken.driverBytes().getAsLong()) : "–",
        taken.milliseconds(),
        groups(taken.exposedMilliseconds()));
  }

  private static String groups(Map<String, Double> milliseconds) {
    return milliseconds.entrySet().stream()
        .map(group -> String.format(Locale.ROOT, "%s %.2f", group.getKey(), group.getValue()))
        .collect(Collectors.joining(", "));
  }
}
