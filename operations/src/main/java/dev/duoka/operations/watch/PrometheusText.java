package dev.duoka.operations.watch;

import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What is known of a run as Prometheus reads it, in seconds, bytes and shares of one. */
final class PrometheusText {
  private static final double[] BUCKETS = {
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100
  };

  private final StringBuilder text = new StringBuilder();
  private final String run;

  private PrometheusText(String run) {
    this.run = label("run", run);
  }

  /** All metrics of a run. */
  static String of(WatchedRun run) {
    RunView view = run.view();
    PrometheusText metrics = new PrometheusText(view.name());
    metrics.family("duoka_run_info", "gauge", "The run, by its state.");
    metrics.sample("duoka_run_info", label("state", view.state()), 1);
    run.history()
        .with(
            series -> {
              metrics.measures(series);
              view.prediction().ifPresent(file -> metrics.prediction(file, series));
              return series;
            });
    metrics.goodput(run.history().times());
    return metrics.text.toString();
  }

  private void measures(Map<String, Series> series) {
    Series seconds = series.get("seconds.total");
    if (seconds != null && !seconds.isEmpty()) {
      double steps = (double) seconds.step(seconds.size() - 1);
      one("duoka_step", "gauge", "The last step.", steps);
      histogram(seconds);
      double tokens = last(series, "tokens");
      one("duoka_tokens_total", "counter", "Tokens that were learned.", tokens * steps);
      double samples = last(series, "samples_per_second") * seconds.last();
      one("duoka_samples_total", "counter", "Sequences learned.", Math.rint(samples) * steps);
    }
    one("duoka_loss", "gauge", "Loss of the last step, in nats.", last(series, "loss"));
    one(
        "duoka_validation_loss",
        "gauge",
        "Loss of the last validation, in nats.",
        last(series, "validation_loss"));
    one("duoka_learning_rate", "gauge", "Learning rate.", last(series, "lr"));
    one("duoka_gradient_norm", "gauge", "Gradient norm.", last(series, "grad_norm"));
    double largest = Double.NaN;
    for (Map.Entry<String, Series> each : series.entrySet()) {
      if (each.getKey().startsWith(MetricsLine.GRADIENT_MAX)) {
        double value = each.getValue().last();
        largest = Double.isNaN(largest) ? value : Math.max(largest, value);
      }
    }
    one("duoka_gradient_abs_max", "gauge", "The largest gradient, by amount.", largest);
    one("duoka_mfu_ratio", "gauge", "Model FLOPs utilisation.", last(series, "mfu"));
    family("duoka_gpu_memory_bytes", "gauge", "Memory of the first rank's device, by kind.");
    for (String kind : List.of("live", "peak", "driver")) {
      sample(
          "duoka_gpu_memory_bytes", label("kind", kind), last(series, "memory." + kind + "_bytes"));
    }
    family("duoka_exposed_seconds", "gauge", "Seconds of a step with nothing but exchange.");
    series.forEach(
        (name, each) -> {
          if (name.startsWith("exposed_seconds.")) {
            String group = name.substring("exposed_seconds.".length());
            sample("duoka_exposed_seconds", label("group", group), each.last());
          }
        });
  }

  private void histogram(Series seconds) {
    family("duoka_step_seconds", "histogram", "Seconds of steps.");
    long[] counts = new long[BUCKETS.length];
    double sum = 0;
    long count = 0;
    for (int i = 0; i < seconds.size(); i++) {
      double value = seconds.value(i);
      if (Double.isFinite(value)) {
        sum += value;
        count++;
        for (int bucket = BUCKETS.length - 1; bucket >= 0 && value <= BUCKETS[bucket]; bucket--) {
          counts[bucket]++;
        }
      }
    }
    for (int bucket = 0; bucket < BUCKETS.length; bucket++) {
      sample(
          "duoka_step_seconds_bucket",
          label("le", String.valueOf(BUCKETS[bucket])),
          (double) counts[bucket]);
    }
    sample("duoka_step_seconds_bucket", label("le", "+Inf"), (double) count);
    sample("duoka_step_seconds_sum", "", sum);
    sample("duoka_step_seconds_count", "", (double) count);
  }

  private void prediction(PredictionFile file, Map<String, Series> series) {
    Prediction prediction = file.prediction();
    Optional<PredictedStep> step = prediction.step();
    one(
        "duoka_predicted_step_seconds",
        "gauge",
        "Seconds of a step as predicted.",
        step.map(PredictedStep::seconds).orElse(Double.NaN));
    Comparison comparison = Comparison.of(file, series);
    one(
        "duoka_roofline_utilisation_ratio",
        "gauge",
        "The least time of a step by its time.",
        comparison.rooflineUtilisation());
    family("duoka_predicted_memory_bytes", "gauge", "Peak of a rank's tensors as predicted.");
    for (Comparison.Owner row : comparison.owners()) {
      sample("duoka_predicted_memory_bytes", place(row), row.predicted());
    }
    family("duoka_memory_bytes", "gauge", "Peak of a rank's tensors, by owner.");
    for (Comparison.Owner row : comparison.owners()) {
      sample("duoka_memory_bytes", place(row), row.measured());
    }
    family("duoka_unknown_memory_bytes", "gauge", "Memory of a device that no ledger knows.");
    for (Comparison.Device row : comparison.devices()) {
      sample("duoka_unknown_memory_bytes", label("device", row.name()), row.unknown());
    }
  }

  private static String place(Comparison.Owner row) {
    return label("rank", String.valueOf(row.rank())) + "," + label("owner", row.owner());
  }

  private void goodput(Goodput.Times times) {
    one("duoka_goodput_ratio", "gauge", "Share of the time that went to steps.", times.ratio());
    family("duoka_badput_seconds_total", "counter", "Seconds that went elsewhere, by cause.");
    Map<String, Double> causes = new TreeMap<>();
    causes.put("data", times.data());
    causes.put("validation", times.validation());
    causes.put("stopped", times.stopped());
    causes.put("other", times.other());
    causes.forEach(
        (cause, seconds) -> sample("duoka_badput_seconds_total", label("cause", cause), seconds));
  }

  private static double last(Map<String, Series> series, String name) {
    Series known = series.get(name);
    return known == null ? Double.NaN : known.last();
  }

  private void one(String name, String type, String help, double value) {
    family(name, type, help);
    sample(name, "", value);
  }

  private void family(String name, String type, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  /** What is not known has no sample. */
  private void sample(String name, String labels, double value) {
    if (!Double.isNaN(value)) {
      text.append(name).append('{').append(run);
      text.append(labels.isEmpty() ? "" : ",").append(labels).append("} ");
      text.append(
          value == Math.rint(value) && Math.abs(value) < 1e15 ? "" + (long) value : "" + value);
      text.append('\n');
    }
  }

  private static String label(String name, String value) {
    String quoted = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    return name + "=\"" + quoted + '"';
  }
}
