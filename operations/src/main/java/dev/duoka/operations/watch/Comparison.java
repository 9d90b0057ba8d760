package dev.duoka.operations.watch;

import dev.duoka.base.ByteSize;
import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What was predicted of a run beside what it has measured.
 *
 * @param owners memory of each rank by owner, when it was most
 * @param devices what the driver counts, and how much of that nobody knows
 * @param times of a step: the whole, its causes, and exchange that shows, by group
 * @param floor the least seconds that the devices need for a step; NaN where nobody says
 * @param findings what is not as it was predicted
 */
public record Comparison(
    List<Owner> owners,
    List<Device> devices,
    List<Time> times,
    double floor,
    List<Finding> findings) {
  public Comparison {
    owners = List.copyOf(owners);
    devices = List.copyOf(devices);
    times = List.copyOf(times);
    findings = List.copyOf(findings);
  }

  private static final double MIB = 1 << 20;
  private static final int PREDICTION_BYTES = 4 << 20;

  /** What a driver may count more than is known before it is a finding. */
  private static final double UNKNOWN_BYTES = 512 * MIB;

  private static final double UNKNOWN_SHARE = 0.05;
  private static final double MORE_BYTES = 16 * MIB;
  private static final double MORE_SHARE = 0.02;
  private static final double SLOWER = 1.1;

  /** The first steps, in which kernels are chosen and compiled, are no measure. */
  private static final int FIRST_STEPS = 5;

  private static final int LATE_STEPS = 50;

  /**
   * Memory of a rank for one owner, in bytes.
   *
   * @param predicted 0 where nothing was
   * @param measured NaN where nothing was
   */
  public record Owner(int rank, String owner, double predicted, double measured) {}

  /**
   * Memory of a device, in bytes.
   *
   * @param predicted tensors of its ranks and what is beside them
   * @param driver what the driver counts; NaN where it was not asked yet
   * @param unknown what of that neither the ranks' ledgers nor the JVM knows, nor was predicted
   *     beside them
   */
  public record Device(String name, double predicted, double driver, double unknown) {}

  /**
   * Seconds of a step.
   *
   * @param kind {@code step}, {@code cause} or {@code group}
   * @param name of the cause or the group
   * @param predicted NaN where nothing was
   * @param measured the median of the last steps; NaN where nothing was
   */
  public record Time(String kind, String name, double predicted, double measured) {}

  /**
   * Something that is not as it was predicted.
   *
   * @param kind {@code changed}, {@code unknown}, {@code more}, {@code slower}, {@code beyond} or
   *     {@code late}
   * @param about the device, rank or step that it is about; empty for the run
   * @param value bytes, or how many times as long
   * @param text what is found, in words
   */
  public record Finding(String kind, String about, double value, String text) {}

  /**
   * Reads the first prediction of a run and all that the run has measured.
   *
   * @param run its folder
   * @return empty where nothing was predicted
   * @throws dev.duoka.base.DuokaException when a file cannot be read, or is no prediction
   */
  public static Optional<Comparison> read(Path run) {
    Path file = run.resolve(PredictionFile.NAME);
    RunFiles files = new RunFiles(run);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    MetricsHistory history = new MetricsHistory(files, Optional.empty());
    while (history.readOn()) {
      // There is more.
    }
    byte[] content = files.bytes(files.folder().resolve(PredictionFile.NAME), PREDICTION_BYTES);
    PredictionFile prediction = PredictionFile.parse(content, file.toString());
    return Optional.of(history.with(series -> of(prediction, series)));
  }

  /** Compares what is known of both so far. */
  static Comparison of(PredictionFile file, Map<String, Series> series) {
    Prediction prediction = file.prediction();
    List<Finding> findings = new ArrayList<>();
    if (!file.unchanged()) {
      findings.add(
          new Finding("changed", "", 1, "the prediction was changed after it was written"));
    }
    List<Owner> owners = owners(prediction, series, findings);
    List<Device> devices = devices(prediction, series, findings);
    List<Time> times = times(prediction, series);
    slower(prediction, times, findings);
    Slowdown.of(series.get("seconds.total")).ifPresent(it -> findings.add(late(it)));
    double floor = prediction.step().map(PredictedStep::floor).orElse(Double.NaN);
    return new Comparison(owners, devices, times, floor, findings);
  }

  /** The floor's share in the time that a step takes; NaN where one of them is not known. */
  double rooflineUtilisation() {
    return floor / times.getFirst().measured();
  }

  private static List<Owner> owners(
      Prediction prediction, Map<String, Series> series, List<Finding> findings) {
    List<Owner> rows = new ArrayList<>();
    for (int rank = 0; rank < prediction.ranks().size(); rank++) {
      Map<String, Long> predicted = prediction.ranks().get(rank);
      String prefix = MetricsLine.RANK_MEMORY + rank + ".";
      TreeSet<String> names = new TreeSet<>(predicted.keySet());
      series.keySet().stream()
          .filter(name -> name.startsWith(prefix) && !name.endsWith("_bytes"))
          .forEach(name -> names.add(name.substring(prefix.length())));
      boolean known = series.containsKey(prefix + "driver_bytes");
      double all = 0;
      double most = 0;
      for (String owner : names) {
        long bytes = predicted.getOrDefault(owner, 0L);
        double measured = known ? last(series, prefix + owner, 0) : Double.NaN;
        rows.add(new Owner(rank, owner, bytes, measured));
        all += bytes;
        most += measured;
      }
      if (most > all * (1 + MORE_SHARE) + MORE_BYTES) {
        findings.add(
            new Finding(
                "more",
                "rank " + rank,
                most - all,
                "rank " + rank + " holds " + text(most - all) + " more than was predicted"));
      }
    }
    return rows;
  }

  private static List<Device> devices(
      Prediction prediction, Map<String, Series> series, List<Finding> findings) {
    List<Device> rows = new ArrayList<>();
    for (PredictedDevice device : prediction.devices()) {
      double beside = device.beside().values().stream().mapToDouble(Long::doubleValue).sum();
      double predicted = beside;
      double known = beside;
      double driver = Double.NaN;
      for (int rank : device.ranks()) {
        String prefix = MetricsLine.RANK_MEMORY + rank + ".";
        predicted +=
            rank < 0 || rank >= prediction.ranks().size()
                ? 0
                : prediction.ranks().get(rank).values().stream()
                    .mapToDouble(Long::doubleValue)
                    .sum();
        known +=
            series.entrySet().stream()
                .filter(it -> it.getKey().startsWith(prefix) && !it.getKey().endsWith("_bytes"))
                .mapToDouble(it -> it.getValue().last())
                .sum();
        if (Double.isNaN(driver)) {
          driver = last(series, prefix + "driver_bytes", Double.NaN);
          known += last(series, prefix + "heap_bytes", 0);
        }
      }
      double unknown = Double.isNaN(driver) ? Double.NaN : driver - known;
      rows.add(new Device(device.name(), predicted, driver, unknown));
      if (unknown > Math.max(UNKNOWN_BYTES, UNKNOWN_SHARE * predicted)) {
        findings.add(
            new Finding(
                "unknown",
                device.name(),
                unknown,
                text(unknown) + " on " + device.name() + " are known to no ledger"));
      }
    }
    return rows;
  }

  private static List<Time> times(Prediction prediction, Map<String, Series> series) {
    List<Time> rows = new ArrayList<>();
    double total = median(series.get("seconds.total"), FIRST_STEPS);
    PredictedStep none = new PredictedStep(Double.NaN, 0, 0, Double.NaN, Map.of(), Map.of(), "");
    PredictedStep step = prediction.step().orElse(none);
    rows.add(new Time("step", "", step.seconds(), total));
    passes(step, series).ifPresent(rows::add);
    TreeSet<String> causes = new TreeSet<>(step.byCause().keySet());
    series.keySet().stream()
        .filter(name -> name.startsWith("seconds.") && !name.equals("seconds.total"))
        .forEach(name -> causes.add(name.substring("seconds.".length())));
    for (String cause : causes) {
      rows.add(
          new Time(
              "cause",
              cause,
              step.byCause().getOrDefault(cause, Double.NaN),
              median(series.get("seconds." + cause), FIRST_STEPS)));
    }
    TreeSet<String> groups = new TreeSet<>(step.exposed().keySet());
    series.keySet().stream()
        .filter(name -> name.startsWith("exposed_seconds."))
        .forEach(name -> groups.add(name.substring("exposed_seconds.".length())));
    for (String group : groups) {
      rows.add(
          new Time(
              "group",
              group,
              step.exposed().getOrDefault(group, Double.NaN),
              median(series.get("exposed_seconds." + group), 0)));
    }
    return rows;
  }

  /**
   * Forward and backward together, of a prediction that knows what a step computes and not in which
   * pass: all that is neither the update nor a transfer for it.
   */
  private static Optional<Time> passes(PredictedStep step, Map<String, Series> series) {
    if (step.byCause().isEmpty() || step.byCause().containsKey("forward")) {
      return Optional.empty();
    }
    double predicted =
        step.seconds()
            - step.byCause().getOrDefault("optimizer", 0.0)
            - step.byCause().getOrDefault("offload", 0.0);
    double measured =
        median(series.get("seconds.forward"), FIRST_STEPS)
            + median(series.get("seconds.backward"), FIRST_STEPS);
    return Optional.of(new Time("cause", "passes", predicted, measured));
  }

  private static void slower(Prediction prediction, List<Time> times, List<Finding> findings) {
    if (prediction.step().isEmpty()) {
      return;
    }
    PredictedStep step = prediction.step().get();
    double ratio = times.getFirst().measured() / step.seconds();
    if (ratio > SLOWER) {
      boolean beyond = times.getFirst().measured() > step.high();
      findings.add(
          new Finding(
              beyond ? "beyond" : "slower",
              "",
              ratio,
              String.format(
                  Locale.ROOT,
                  "steps take %.2f times as long as was predicted, %s",
                  ratio,
                  beyond ? "which is beyond its range" : "which is within its range")));
    }
  }

  private static Finding late(Slowdown slowdown) {
    return new Finding(
        "late",
        "step " + slowdown.step(),
        slowdown.ratio(),
        String.format(
            Locale.ROOT,
            "since about step %d steps take %.2f times as long as before",
            slowdown.step(),
            slowdown.ratio()));
  }

  private static double last(Map<String, Series> series, String name, double otherwise) {
    Series known = series.get(name);
    return known == null || known.isEmpty() ? otherwise : known.last();
  }

  private static double median(@Nullable Series series, int leftOut) {
    if (series == null || series.size() <= leftOut) {
      return Double.NaN;
    }
    int first = Math.max(leftOut, series.size() - LATE_STEPS);
    double[] values = new double[series.size() - first];
    for (int i = 0; i < values.length; i++) {
      values[i] = series.value(first + i);
    }
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private static String text(double bytes) {
    return ByteSize.text((long) bytes);
  }
}
