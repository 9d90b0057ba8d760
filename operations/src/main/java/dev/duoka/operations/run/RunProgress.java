package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * How far a run is, by what its trainer has written.
 *
 * @param step the last one that was reported; 0 for none
 * @param totalSteps of the whole run; 0 where it is not known
 * @param loss of that step; NaN where there is none
 * @param tokensPerSecond of that step; NaN where there is none
 * @param stepSeconds how long that step took; NaN where there is none
 * @param checkpoint step of the newest checkpoint; empty for none
 */
public record RunProgress(
    long step,
    long totalSteps,
    double loss,
    double tokensPerSecond,
    double stepSeconds,
    OptionalLong checkpoint) {
  /** How the last line of a log begins, of a run that has not failed. */
  static final String ENDED = "ended: ";

  private static final String STOPPED = ENDED + "stopped";
  private static final int TAIL = 1 << 16;
  private static final Pattern CHECKPOINT = Pattern.compile("step-(\\d{1,18})");
  private static final Pattern SAVED =
      Pattern.compile(" saved .*\\((\\S+) (\\S+) in (\\d+(?:\\.\\d+)?) s\\)");

  /** Shorter saves say little of a disk, and what is printed of their time even less. */
  private static final double TELLING_SECONDS = 0.5;

  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  /** Reads it from a run's folder. */
  public static RunProgress of(Path run) {
    JsonNode last = Json.object();
    for (String line : tail(run.resolve("metrics.jsonl")).lines().toList()) {
      last = step(line).orElse(last);
    }
    long total =
        Heartbeat.read(run.resolve("rank-0.heartbeat")).map(Heartbeat::totalSteps).orElse(0L);
    return new RunProgress(
        last.path("step").asLong(0),
        total,
        last.path("loss").asDouble(Double.NaN),
        last.path("tokens_per_second").asDouble(Double.NaN),
        last.path("seconds").path("total").asDouble(Double.NaN),
        newestCheckpoint(run));
  }

  /** The step of a run's newest checkpoint, unread; empty for none. */
  public static OptionalLong newestCheckpoint(Path run) {
    return checkpointBefore(run, Long.MAX_VALUE);
  }

  /** The step of the newest checkpoint that is older than a step, unread; empty for none. */
  public static OptionalLong checkpointBefore(Path run, long step) {
    Path folder = run.resolve("checkpoints");
    if (!Files.isDirectory(folder)) {
      return OptionalLong.empty();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .map(entry -> CHECKPOINT.matcher(entry.getFileName().toString()))
          .filter(Matcher::matches)
          .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
          .filter(found -> found < step)
          .max();
    } catch (IOException e) {
      return OptionalLong.empty(); // it is being deleted
    }
  }

  /** The folder of a checkpoint. */
  public static Path checkpoint(Path run, long step) {
    return run.resolve("checkpoints").resolve(String.format(Locale.ROOT, "step-%08d", step));
  }

  /** The longest that one of the last saves took, in seconds; 0 where none is known. */
  public static double longestSave(Path run) {
    double longest = 0;
    Matcher saved = SAVED.matcher(tail(run.resolve("run.log")));
    while (saved.find()) {
      longest = Math.max(longest, Double.parseDouble(saved.group(3)));
    }
    return longest;
  }

  /** Bytes a second that the slowest of the last saves wrote; 0 where none tells. */
  static double slowestSave(Path run) {
    double slowest = 0;
    Matcher saved = SAVED.matcher(tail(run.resolve("run.log")));
    while (saved.find()) {
      double seconds = Double.parseDouble(saved.group(3));
      int unit = UNITS.indexOf(saved.group(2));
      if (seconds >= TELLING_SECONDS && unit >= 0 && saved.group(1).matches("[\\d.,]+")) {
        double size = Double.parseDouble(saved.group(1).replace(",", ""));
        double rate = size * Math.pow(1024, unit) / seconds;
        slowest = slowest == 0 ? rate : Math.min(slowest, rate);
      }
    }
    return slowest;
  }

  /**
   * How a run was ended before its last step, by what it says last in its log, for example {@code
   * stopped by --max-steps after step 5 of 20}; empty where it says nothing of that.
   */
  public static Optional<String> stopped(Path run) {
    String word = lastWord(run);
    return word.startsWith(STOPPED)
        ? Optional.of(word.substring(ENDED.length()))
        : Optional.empty();
  }

  /** The last line of a run's log, without its time; empty where it has none. */
  static String lastWord(Path run) {
    String last = tail(run.resolve("run.log")).lines().reduce("", (_, later) -> later);
    return last.substring(last.indexOf(' ') + 1);
  }

  private static Optional<JsonNode> step(String line) {
    try {
      JsonNode node =
          Json.parse(line.getBytes(StandardCharsets.UTF_8), "metrics", ErrorCode.FORMAT);
      return node.has("tokens") ? Optional.of(node) : Optional.empty();
    } catch (DuokaException e) {
      return Optional.empty(); // cut at the beginning of the tail, or being written
    }
  }

  private static String tail(Path file) {
    if (!Files.exists(file)) {
      return "";
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long start = Math.max(0, in.length() - TAIL);
      in.seek(start);
      byte[] bytes = new byte[TAIL];
      int read = Math.max(0, in.read(bytes));
      return new String(bytes, 0, read, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }
}
