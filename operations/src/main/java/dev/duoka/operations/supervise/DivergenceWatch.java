package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Notices that a run diverges, by its {@code metrics.jsonl}: the loss or the gradient norm has left
 * its range, by the median and the median distance from it, and does not come back for {@value
 * #STEPS} steps. Steps of the warm-up and such as were skipped for an overflow do not count. One
 * thread.
 */
final class DivergenceWatch {
  /** A spike that heals within as many steps is none. */
  static final int STEPS = 20;

  /** Steps that the range is taken from. */
  private static final int WINDOW = 100;

  /** Steps until there is a range. */
  private static final int LEAST = 50;

  private static final double FARTHEST = 8;

  /** Of a normal distribution, the standard deviation by the median distance. */
  private static final double NORMAL = 1.4826;

  /** Least spread in relation to the median: losses that hardly move are not all spikes. */
  private static final double LEAST_SPREAD = 0.02;

  private static final int MOST_BYTES = 1 << 22;

  private final Path file;
  private final long from;

  /** So much of the file is of earlier attempts; 0 as soon as this one has cut them away. */
  private long before;

  private long at;
  private final Deque<Double> losses = new ArrayDeque<>();
  private final Deque<Double> norms = new ArrayDeque<>();
  private double largestRate;
  private boolean warm;
  private long outside;
  private long began;
  private String what = "";

  /**
   * A watch of an attempt.
   *
   * @param from the step that it goes on from: later ones that are in the file already are of an
   *     earlier attempt, and will be cut away
   */
  DivergenceWatch(Path run, long from) {
    this.file = run.resolve("metrics.jsonl");
    this.from = from;
    this.before = Files.exists(file) ? file.toFile().length() : 0;
  }

  /** Reads on; what has happened when the run has diverged. */
  Optional<Divergence> look() {
    boolean old = at < before;
    for (String line : read().lines().toList()) {
      Optional<Divergence> diverged = take(line, old ? from : Long.MAX_VALUE);
      if (diverged.isPresent()) {
        return diverged;
      }
    }
    return Optional.empty();
  }

  private Optional<Divergence> take(String line, long last) {
    JsonNode step;
    try {
      step = Json.parse(line.getBytes(StandardCharsets.UTF_8), "metrics", ErrorCode.FORMAT);
    } catch (DuokaException e) {
      return Optional.empty();
    }
    long number = step.path("step").asLong(0);
    if (number > last || !step.has("grad_norm") || !step.path("applied").asBoolean(true)) {
      return Optional.empty();
    }
    double rate = step.path("lr").asDouble(0);
    warm |= rate <= largestRate; // the rate does not rise any more
    largestRate = Math.max(largestRate, rate);
    double loss = step.path("loss").asDouble(Double.POSITIVE_INFINITY);
    double norm = step.path("grad_norm").asDouble(Double.POSITIVE_INFINITY);
    String far =
        far(losses, loss, "a loss").or(() -> far(norms, norm, "a gradient norm")).orElse("");
    if (warm && !far.isEmpty()) {
      if (outside == 0) {
        began = number;
        what = far;
      }
      outside++;
      return outside < STEPS
          ? Optional.empty()
          : Optional.of(
              new Divergence(
                  began,
                  number,
                  "the run diverges since step "
                      + began
                      + ": "
                      + what
                      + ", and it has not come back for "
                      + STEPS
                      + " steps"));
    }
    outside = 0;
    add(losses, loss);
    add(norms, norm);
    return Optional.empty();
  }

  private static void add(Deque<Double> values, double value) {
    values.add(value);
    if (values.size() > WINDOW) {
      values.remove();
    }
  }

  /** What is said of a value that lies far above the others; empty for others. */
  private static Optional<String> far(Deque<Double> values, double value, String name) {
    if (values.size() < LEAST) {
      return Optional.empty();
    }
    double median = median(values.stream().mapToDouble(it -> it).toArray());
    double distance = median(values.stream().mapToDouble(it -> Math.abs(it - median)).toArray());
    double spread = Math.max(NORMAL * distance, LEAST_SPREAD * Math.abs(median));
    double score = (value - median) / spread;
    return score <= FARTHEST
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "%s of %.4g, where the steps before had %.4g ± %.2g",
                name,
                value,
                median,
                spread));
  }

  private static double median(double... values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** The whole lines that are new. */
  private String read() {
    if (!Files.exists(file)) {
      return "";
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      if (in.length() < Math.max(at, before)) { // a new attempt has cut it
        at = Math.min(at, in.length());
        before = 0;
      }
      long end = at < before ? Math.min(before, in.length()) : in.length();
      byte[] bytes = new byte[(int) Math.min(MOST_BYTES, end - at)];
      in.seek(at);
      in.readFully(bytes);
      int whole = bytes.length;
      while (whole > 0 && bytes[whole - 1] != '\n') {
        whole--;
      }
      at += whole == 0 && at < before ? bytes.length : whole; // a last line that was cut short
      return new String(bytes, 0, whole, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }
}
