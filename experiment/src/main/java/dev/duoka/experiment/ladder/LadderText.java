package dev.duoka.experiment.ladder;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A ladder for people. */
public final class LadderText {
  private static final double MIB = 1 << 20;

  /** So that rows are no wider than a hundred columns. */
  private static final int MESH = 22;

  private static final String ROW = "%2s %-" + MESH + "s %-12s %15s %15s %10s %7s  %s";

  private LadderText() {}

  /** One line of what a rung has shown, said when it is over. */
  public static String line(RungResult result) {
    String text = "rung " + result.rung().number() + ", " + result.rung().mesh() + ": ";
    String said =
        result
            .parity()
            .map(LadderText::said)
            .or(() -> result.likeness().map(LadderText::said))
            .map(it -> it + "; ")
            .orElse("");
    return text
        + said
        + result
            .fault()
            .map(fault -> "FAILS by its " + fault.check() + ": " + fault.reason())
            .orElseGet(() -> result.held() ? measured(result) : "does not hold the model");
  }

  private static String said(Parity parity) {
    return String.format(
        Locale.ROOT,
        "losses within %.1e (limit %.1e), gradient norms within %.1e (limit %.1e)",
        parity.loss(),
        parity.lossLimit(),
        parity.norm(),
        parity.normLimit());
  }

  private static String said(Likeness likeness) {
    return "a small likeness " + (likeness.holds() ? "holds" : "DOES NOT HOLD");
  }

  private static String measured(RungResult result) {
    return result
        .speed()
        .map(
            speed ->
                String.format(Locale.ROOT, "%,.0f tokens/s", speed.tokensPerSecond())
                    + speed.efficiency().map(it -> ", efficiency " + share(it)).orElse("")
                    + speed
                        .ofPrediction()
                        .map(it -> ", of the predicted speed " + share(it))
                        .orElse(", no speed was predicted"))
        .orElse("its speed was not measured");
  }

  /** The table, what is worth knowing, and how it ended, line by line. */
  public static List<String> of(LadderResult result) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(ROW, "", "", "parity", "memory, MiB", "step, s", "", "effi-", "")
            .stripTrailing());
    lines.add(
        String.format(
            ROW,
            "",
            "mesh",
            "loss, norm",
            "said / held",
            "said / took",
            "tokens/s",
            "ciency",
            "verdict"));
    result.rungs().forEach(rung -> lines.addAll(rows(rung)));
    lines.add(
        String.format(
            Locale.ROOT,
            "Parity on %,d tokens a step, speed on %,d of each %s. Memory is that of the fullest"
                + " rank.",
            result.parityTokens(),
            result.tokensPerCard(),
            result.onCpu() ? "rank" : "card"));
    if (result.rungs().stream()
        .anyMatch(rung -> rung.likeness().isPresent() && rung.parity().isEmpty())) {
      lines.add("likeness: a small likeness of the run is compared in the model's place.");
    }
    if (result.rungs().stream().anyMatch(rung -> !rung.held())) {
      lines.add("no room: its cards do not hold the model.");
    }
    for (RungResult rung : result.rungs()) {
      rung.notes().forEach(note -> lines.add("rung " + rung.rung().number() + ": " + note));
    }
    result.fault().ifPresent(fault -> lines.addAll(of(result.rungs().getLast(), fault)));
    result
        .runFileForAll()
        .ifPresent(file -> lines.add("All rungs hold. The run file for the whole mesh: " + file));
    lines.add("Picture and details: " + result.folder().resolve("ladder.svg") + ", ladder.json");
    return lines;
  }

  private static List<String> of(RungResult last, Fault fault) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "Stopped at rung "
            + last.rung().number()
            + " ("
            + last.rung().mesh()
            + ") by its "
            + fault.check()
            + ": "
            + fault.reason());
    for (Cause cause : fault.causes()) {
      lines.add("  " + cause.kind().name().toLowerCase(Locale.ROOT) + ": " + cause.text());
      lines.add("    " + cause.fix());
    }
    if (fault.causes().isEmpty()) {
      lines.add("  Nothing was found beside it that would explain it");
    }
    return lines;
  }

  /** One row; a mesh that is wider than its column has a line of its own before it. */
  private static List<String> rows(RungResult result) {
    String mesh = result.rung().mesh();
    int number = result.rung().number();
    return mesh.length() <= MESH
        ? List.of(row(String.valueOf(number), mesh, result))
        : List.of(String.format("%2s %s", number, mesh), row("", "", result));
  }

  private static String row(String number, String mesh, RungResult result) {
    return String.format(
            ROW,
            number,
            mesh,
            parity(result),
            result
                .memory()
                .map(it -> mebibytes(it.predicted()) + " / " + mebibytes(it.measured()))
                .orElse("-"),
            result.speed().map(LadderText::step).orElse("-"),
            result
                .speed()
                .map(it -> String.format(Locale.ROOT, "%,.0f", it.tokensPerSecond()))
                .orElse("-"),
            result.speed().flatMap(RungSpeed::efficiency).map(LadderText::percent).orElse("-"),
            verdict(result))
        .stripTrailing();
  }

  private static String mebibytes(double bytes) {
    double mib = bytes / MIB;
    return String.format(Locale.ROOT, mib < 10_000 ? "%.1f" : "%.0f", mib);
  }

  private static String step(RungSpeed speed) {
    String said = Double.isNaN(speed.predicted()) ? "-" : seconds(speed.predicted());
    return said + " / " + seconds(speed.seconds());
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.4f" : "%.2f", value);
  }

  private static String parity(RungResult result) {
    Optional<String> compared =
        result
            .parity()
            .map(
                it ->
                    it.broken().isPresent()
                        ? "DIFFERS"
                        : String.format(Locale.ROOT, "%.0e, %.0e", it.loss(), it.norm()));
    return compared
        .or(() -> result.likeness().map(it -> it.holds() ? "likeness" : "DIFFERS"))
        .orElse(result.rung().ranks() == 1 ? "the first" : "-");
  }

  private static String verdict(RungResult result) {
    return result.fault().map(fault -> "FAILS").orElse(result.held() ? "holds" : "no room");
  }

  private static String percent(Share share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share.estimate());
  }

  /** With its interval, for example {@code 93.1 % [91.0, 95.2]}. */
  static String share(Share share) {
    return String.format(
        Locale.ROOT,
        "%.1f %% [%.1f, %.1f]",
        100 * share.estimate(),
        100 * share.low(),
        100 * share.high());
  }
}
