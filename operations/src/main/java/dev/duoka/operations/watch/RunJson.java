package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictedStep;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What the page asks for, as JSON. */
final class RunJson {
  /** A cell of the heat map in which a gradient is no number; all others are not negative. */
  private static final double NOT_A_NUMBER = -1;

  /** Measured by nobody: the floor of a step by its time. */
  static final String ROOFLINE = "roofline";

  /** All tokens that were taken up to a step: the sum of the steps' tokens. */
  static final String TOKENS_TAKEN = "tokens_taken";

  private static final String TOKENS = "tokens";

  private static final String TOTAL_SECONDS = "seconds.total";

  private final WatchedRun run;

  RunJson(WatchedRun run) {
    this.run = run;
  }

  /**
   * The steps that are shown.
   *
   * @param from the first one
   * @param to the last one
   * @param columns of pixels there are for them
   */
  record Window(long from, long to, int columns) {}

  /** How the run is, the last value of each measure, its log and its supervisor's record. */
  ObjectNode overview() {
    RunView view = run.view();
    ObjectNode json = Json.object();
    json.put("name", view.name());
    json.put("state", view.state());
    json.put("attempt", view.attempt());
    json.put("total_steps", view.totalSteps());
    json.put("reason", view.reason());
    json.put("log", view.log());
    json.put("notes", view.notes());
    ArrayNode answers = json.putArray("answers");
    view.answers().forEach(answer -> answers.add(answer.json()));
    ArrayNode tags = json.putArray("tags");
    view.tags().forEach(tags::add);
    ArrayNode record = json.putArray("record");
    view.record().forEach(entry -> record.add(entry.json()));
    ArrayNode problems = json.putArray("problems");
    view.problems().forEach(problems::add);
    MetricsHistory.Reading reading = run.history().reading();
    json.put("read_bytes", reading.bytes());
    json.put("of_bytes", reading.of());
    json.put("unreadable_lines", reading.unreadable());
    view.prediction()
        .ifPresent(
            file ->
                json.set(
                    "prediction",
                    ComparisonJson.of(
                        file, run.history().with(series -> Comparison.of(file, series)))));
    json.set("goodput", goodput(run.history().times()));
    json.set("placement", view.placement());
    ArrayNode checkpoints = json.putArray("checkpoints");
    view.checkpoints().forEach(checkpoints::add);
    ObjectNode latest = json.putObject("latest");
    run.history()
        .with(
            series -> {
              json.put("first_step", firstStep(series.values()));
              json.put("last_step", lastStep(series.values()));
              series.forEach((name, each) -> putLatest(latest, name, each));
              Series total = series.get(TOTAL_SECONDS);
              if (total != null && hasFloor()) {
                Json.putNumber(latest, ROOFLINE, floor() / total.last());
              }
              return series.size();
            });
    return json;
  }

  private static ObjectNode goodput(Goodput.Times times) {
    ObjectNode json = Json.object();
    json.put("wall", times.wall());
    json.put("steps", times.steps());
    json.put("data", times.data());
    Json.putNumber(json, "exposed_share", times.exposedShare());
    json.put("validation", times.validation());
    json.put("stopped", times.stopped());
    json.put("other", times.other());
    Json.putNumber(json, "ratio", times.ratio());
    return json;
  }

  /** What the run's configuration says, field by field. */
  ObjectNode config() {
    ObjectNode json = Json.object();
    run.config().forEach(json::put);
    return json;
  }

  /** The named measures; those that the run does not have are left out. */
  ObjectNode series(List<String> names, Window window) {
    ObjectNode json = Json.object();
    run.history()
        .with(
            series -> {
              for (String name : names) {
                if (name.equals(TOKENS_TAKEN)) {
                  Series tokens = series.get(TOKENS);
                  if (tokens != null) {
                    TokensTaken.put(json.putObject(name), tokens, window);
                  }
                  continue;
                }
                boolean roofline = name.equals(ROOFLINE) && hasFloor();
                Series known = series.get(roofline ? TOTAL_SECONDS : name);
                if (known != null) {
                  put(
                      json.putObject(name),
                      known,
                      window,
                      roofline ? seconds -> floor() / seconds : value -> value);
                }
              }
              return json;
            });
    return json;
  }

  /**
   * The gradients' range by layer, the largest of each column: of every layer the number of a
   * column and its value by turns, only where there are values.
   *
   * @param prefix of the measures
   */
  ObjectNode heat(String prefix, Window window) {
    ObjectNode json = Json.object();
    ArrayNode layers = json.putArray("layers");
    ArrayNode rows = json.putArray("rows");
    run.history()
        .with(
            series -> {
              for (Map.Entry<String, Series> each : series.entrySet()) {
                if (each.getKey().startsWith(prefix)) {
                  layers.add(RedactedText.line(each.getKey().substring(prefix.length())));
                  row(rows.addArray(), each.getValue(), window);
                }
              }
              return json;
            });
    return json;
  }

  private static void putLatest(ObjectNode latest, String name, Series series) {
    if (!name.startsWith("grad_range.") && !name.startsWith(MetricsLine.RANK_MEMORY)) {
      Json.putNumber(latest, RedactedText.line(name), series.last());
    }
  }

  private static long firstStep(Collection<Series> all) {
    return all.stream().filter(it -> !it.isEmpty()).mapToLong(it -> it.step(0)).min().orElse(0);
  }

  private static long lastStep(Collection<Series> all) {
    return all.stream()
        .filter(it -> !it.isEmpty())
        .mapToLong(it -> it.step(it.size() - 1))
        .max()
        .orElse(0);
  }

  private boolean hasFloor() {
    return !Double.isNaN(floor());
  }

  /** The least seconds of a step, as they were predicted. */
  private double floor() {
    return run.view()
        .prediction()
        .flatMap(file -> file.prediction().step())
        .map(PredictedStep::floor)
        .orElse(Double.NaN);
  }

  private static void put(
      ObjectNode json, Series series, Window window, DoubleUnaryOperator shown) {
    ArrayNode steps = json.putArray("steps");
    ArrayNode values = json.putArray("values");
    ArrayNode bad = json.putArray("not_a_number");
    PixelColumns.show(
        series,
        window.from(),
        window.to(),
        window.columns(),
        new PixelColumns.Sink() {
          @Override
          public void value(long step, double value) {
            double number = shown.applyAsDouble(value);
            if (Double.isFinite(number)) {
              steps.add(step);
              values.add(number);
            }
          }

          @Override
          public void notANumber(long step, int count) {
            bad.add(step);
          }
        });
  }

  private static void row(ArrayNode row, Series series, Window window) {
    double[] largest = new double[window.columns()];
    boolean[] there = new boolean[window.columns()];
    double width = ((double) window.to() - window.from() + 1) / window.columns();
    PixelColumns.show(
        series,
        window.from(),
        window.to(),
        window.columns(),
        new PixelColumns.Sink() {
          @Override
          public void value(long step, double value) {
            if (step > window.to()) {
              return; // what comes after it has no column here
            }
            int column = column(step);
            if (!there[column] || (largest[column] >= 0 && value > largest[column])) {
              largest[column] = value;
            }
            there[column] = true;
          }

          @Override
          public void notANumber(long step, int count) {
            if (step <= window.to()) {
              there[column(step)] = true;
              largest[column(step)] = NOT_A_NUMBER;
            }
          }

          private int column(long step) {
            return Math.clamp((long) ((step - window.from()) / width), 0, window.columns() - 1);
          }
        });
    for (int i = 0; i < there.length; i++) {
      if (there[i]) {
        row.add(i);
        row.add(largest[i]);
      }
    }
  }
}
