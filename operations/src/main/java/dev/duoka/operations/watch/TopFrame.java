package dev.duoka.operations.watch;

import dev.duoka.base.ByteSize;
import dev.duoka.base.TimeSpan;
import dev.duoka.operations.run.RunRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A run on one screen of a terminal, as lines of text in which nothing is obeyed. */
public final class TopFrame {
  private static final String EXPOSED = "exposed_seconds.";
  private static final int LABEL = 11;
  private static final int VALUE = 10;
  private static final int LEAST_LOG_LINES = 3;
  private static final int MOST_EVENTS = 3;
  private static final int MOST_LAYERS = 6;

  private final int columns;
  private final int lines;

  /**
   * @param columns of the screen
   * @param lines of the screen
   */
  public TopFrame(int columns, int lines) {
    this.columns = Math.max(40, columns);
    this.lines = Math.max(16, lines);
  }

  /**
   * The run as it was read last, in at most as many lines as the screen has, none too wide.
   *
   * @param loads what it takes of this machine, as {@link LoadLines} says it
   */
  public List<String> of(WatchedRun run, List<String> loads) {
    RunView view = run.view();
    List<String> frame = new ArrayList<>();
    run.history()
        .with(
            series -> {
              frame.add(head(view, series));
              view.problems().forEach(problem -> frame.add("! " + problem));
              if (!view.reason().isEmpty()) {
                frame.add("  " + view.reason());
              }
              numbers(series, frame);
              view.prediction().ifPresent(file -> comparison(Comparison.of(file, series), frame));
              return frame;
            });
    goodput(run.history().times(), view.checkpoints(), frame);
    frame.addAll(loads);
    List<RunRecord.Entry> record = view.record();
    record.stream()
        .skip(Math.max(0, record.size() - MOST_EVENTS))
        .forEach(it -> frame.add("* " + it.time() + " " + it.event() + ": " + it.text()));
    int room = Math.max(LEAST_LOG_LINES, lines - frame.size());
    List<String> log = view.log().lines().toList();
    frame.addAll(log.subList(Math.max(0, log.size() - room), log.size()));
    return frame.stream().limit(lines).map(this::cut).toList();
  }

  private static String head(RunView view, Map<String, Series> series) {
    long step =
        series.values().stream()
            .filter(it -> !it.isEmpty())
            .mapToLong(it -> it.step(it.size() - 1))
            .max()
            .orElse(0);
    return view.name()
        + "  "
        + view.state()
        + "  step "
        + step
        + (view.totalSteps() > 0 ? "/" + view.totalSteps() : "")
        + (view.attempt() > 1 ? "  attempt " + view.attempt() : "");
  }

  private void numbers(Map<String, Series> series, List<String> frame) {
    curve("loss", "loss", false, series, frame);
    curve("validation", "validation_loss", false, series, frame);
    curve("grad norm", "grad_norm", false, series, frame);
    curve("tokens/s", "tokens_per_second", true, series, frame);
    row(
        "rates",
        frame,
        value("lr", "lr", series),
        value("samples/s", "samples_per_second", series),
        value("MFU", "mfu", series),
        value("loss scale", "loss_scale", series));
    row(
        "memory",
        frame,
        bytes("live", "memory.live_bytes", series),
        bytes("peak", "memory.peak_bytes", series),
        bytes("driver", "memory.driver_bytes", series));
    row(
        "seconds",
        frame,
        value("total", "seconds.total", series),
        value("data", "seconds.data", series),
        value("forward", "seconds.forward", series),
        value("backward", "seconds.backward", series),
        value("optimizer", "seconds.optimizer", series));
    row(
        "exposed",
        frame,
        series.keySet().stream()
            .filter(name -> name.startsWith(EXPOSED))
            .map(name -> value(name.substring(EXPOSED.length()), name, series))
            .toArray(String[]::new));
    row("gradients", frame, layers(series));
  }

  private void goodput(Goodput.Times times, List<Long> checkpoints, List<String> frame) {
    if (times.wall() > 0) {
      row(
          "goodput",
          frame,
          Double.isNaN(times.ratio())
              ? ""
              : String.format(Locale.ROOT, "%.1f %% in steps", 100 * times.ratio()),
          seconds("data", times.data()),
          seconds("validation", times.validation()),
          seconds("not running", times.stopped()),
          seconds("other", times.other()),
          checkpoints.isEmpty() ? "" : "newest checkpoint " + checkpoints.getLast());
    }
  }

  private static String seconds(String what, double seconds) {
    return seconds < 0.05 ? "" : what + " " + TimeSpan.text(seconds);
  }

  private void comparison(Comparison comparison, List<String> frame) {
    Comparison.Time step = comparison.times().getFirst();
    String speed =
        Double.isNaN(step.predicted())
            ? "step time not predicted here"
            : "step " + text(step.predicted()) + " s, measured " + text(step.measured()) + " s";
    String[] memory =
        comparison.devices().stream()
            .map(
                it ->
                    it.name()
                        + " "
                        + ByteSize.text((long) it.predicted())
                        + (Double.isNaN(it.driver())
                            ? ""
                            : ", counted " + ByteSize.text((long) it.driver())))
            .toArray(String[]::new);
    double roofline = comparison.rooflineUtilisation();
    row(
        "predicted",
        frame,
        speed,
        Double.isNaN(roofline)
            ? ""
            : String.format(Locale.ROOT, "roofline utilisation %.1f %%", 100 * roofline));
    row("", frame, memory);
    comparison.findings().forEach(it -> frame.add("! " + it.text()));
  }

  /** The layers with the largest gradients; those that are no numbers come first. */
  private static String[] layers(Map<String, Series> series) {
    Comparator<Map.Entry<String, Series>> badFirst =
        Comparator.comparing(each -> !Double.isNaN(each.getValue().last()));
    return series.entrySet().stream()
        .filter(each -> each.getKey().startsWith(MetricsLine.GRADIENT_MAX))
        .sorted(badFirst.thenComparingDouble(each -> -each.getValue().last()))
        .limit(MOST_LAYERS)
        .map(each -> layer(each.getKey()) + " " + text(each.getValue().last()))
        .toArray(String[]::new);
  }

  private static String layer(String name) {
    return name.substring(MetricsLine.GRADIENT_MAX.length()).replaceFirst("^model\\.", "");
  }

  private void curve(
      String label, String name, boolean lowest, Map<String, Series> series, List<String> frame) {
    Series known = series.get(name);
    if (known != null) {
      String value = String.format(Locale.ROOT, "%-" + VALUE + "s", text(known.last()));
      frame.add(
          label(label) + value + " " + SparkLine.of(known, columns - LABEL - VALUE - 1, lowest));
    }
  }

  private static String text(double value) {
    return Double.isNaN(value)
        ? "NaN"
        : Math.abs(value) >= 10_000
            ? String.format(Locale.ROOT, "%,.0f", value)
            : String.format(Locale.ROOT, "%.4g", value);
  }

  private static String value(String label, String name, Map<String, Series> series) {
    Series known = series.get(name);
    return known == null ? "" : label + " " + text(known.last());
  }

  private static String bytes(String label, String name, Map<String, Series> series) {
    Series known = series.get(name);
    return known == null
        ? ""
        : label + " " + (Double.isNaN(known.last()) ? "NaN" : ByteSize.text((long) known.last()));
  }

  /** Values behind their label, on as many lines as they need. */
  private void row(String label, List<String> frame, String... values) {
    StringBuilder line = new StringBuilder(label(label));
    for (String value : values) {
      if (line.length() > LABEL && line.length() + value.length() > columns) {
        frame.add(line.toString().stripTrailing());
        line = new StringBuilder(label(""));
      }
      line.append(value).append(value.isEmpty() ? "" : "  ");
    }
    if (line.length() > LABEL) {
      frame.add(line.toString().stripTrailing());
    }
  }

  private static String label(String label) {
    return String.format(Locale.ROOT, "%-" + LABEL + "s", label);
  }

  /** One line that fits; wide characters, as those of Chinese, take two places. */
  private String cut(String text) {
    StringBuilder line = new StringBuilder();
    int used = 0;
    for (int point : RedactedText.line(text).codePoints().toArray()) {
      used += isWide(point) ? 2 : 1;
      if (used > columns) {
        break;
      }
      line.appendCodePoint(point);
    }
    return line.toString();
  }

  private static boolean isWide(int point) {
    return Character.isIdeographic(point)
        || (point >= 0x1100 && point <= 0x115f)
        || (point >= 0x3000 && point <= 0x30ff)
        || (point >= 0xac00 && point <= 0xd7a3)
        || (point >= 0xff00 && point <= 0xff60)
        || (point >= 0x1f300 && point <= 0x1faff);
  }
}
