package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.ProgressRule;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The last lines of one log that show that the run went on or ended well, by who printed them. Of
 * each origin only the last steps are kept: whether steps follow a line is all that is asked.
 */
public final class ProgressLines {
  /** So many steps are proof in any case; at least as many are kept of one origin. */
  public static final int MOST_STEPS = 20;

  /**
   * What a process may still print when it is dead: the buffer of its standard output. Its error
   * output is not buffered, so a traceback overtakes what was printed before it.
   */
  public static final int BUFFERED_BYTES = 8192;

  private static final int MOST_ORIGINS = 4096;

  /** The origin of lines that do not tell theirs. */
  public static final String UNKNOWN = "";

  private final Map<String, Steps> steps = new HashMap<>();
  private final Map<String, Long> ends = new HashMap<>();

  /** Who printed a line, as far as the line tells. */
  public static String origin(LogLine line, OptionalInt rankOfLog) {
    if (line.rank().isPresent()) {
      return "rank " + line.rank().getAsInt();
    }
    if (rankOfLog.isPresent()) {
      return "rank " + rankOfLog.getAsInt();
    }
    return line.localRank().isPresent()
        ? "local rank " + line.localRank().getAsInt() + " " + line.host().orElse("")
        : UNKNOWN;
  }

  void add(String origin, ProgressRule.Kind kind, long number, int length) {
    if (kind == ProgressRule.Kind.END) {
      ends.merge(origin, number, Math::max);
      return;
    }
    if (steps.size() >= MOST_ORIGINS && !steps.containsKey(origin)) {
      return;
    }
    steps.computeIfAbsent(origin, o -> new Steps()).add(number, length);
  }

  boolean isFull(String origin) {
    return steps.containsKey(origin) && steps.get(origin).isFull();
  }

  int origins() {
    return steps.size();
  }

  /** Adds what a later block holds. */
  void addAll(ProgressLines later, long lines) {
    later.steps.forEach(
        (origin, kept) ->
            kept.lengths.forEach(
                (n, length) -> add(origin, ProgressRule.Kind.STEP, n + lines, length)));
    later.ends.forEach((origin, n) -> add(origin, ProgressRule.Kind.END, n + lines, 0));
  }

  /** How many steps of this origin follow the line, counted up to those that are kept. */
  public int stepsAfter(long number, String origin) {
    Steps kept = steps.get(origin);
    return kept == null ? 0 : kept.lengths.tailMap(number, false).size();
  }

  /** Bytes of the steps of this origin that follow the line, of those that are kept. */
  public long bytesAfter(long number, String origin) {
    Steps kept = steps.get(origin);
    return kept == null
        ? 0
        : kept.lengths.tailMap(number, false).values().stream().mapToLong(n -> n).sum();
  }

  /** The same of the origin that has most. */
  public long mostBytesAfter(long number) {
    return steps.keySet().stream().mapToLong(o -> bytesAfter(number, o)).max().orElse(0);
  }

  /** How many steps of the origin that has most follow the line. */
  public int mostStepsAfter(long number) {
    return steps.keySet().stream().mapToInt(o -> stepsAfter(number, o)).max().orElse(0);
  }

  /** Whether a line of this origin behind it says that the run ended well. */
  public boolean endsAfter(long number, String origin) {
    return ends.getOrDefault(origin, 0L) > number;
  }

  /** The same of any origin. */
  public boolean endsAfter(long number) {
    return ends.values().stream().anyMatch(end -> end > number);
  }

  /** The last steps of one origin: as many as prove anything. */
  private static final class Steps {
    private final TreeMap<Long, Integer> lengths = new TreeMap<>();
    private long bytes;

    void add(long number, int length) {
      Integer before = lengths.put(number, length);
      bytes += length - (before == null ? 0 : before);
      while (lengths.size() > MOST_STEPS
          && bytes - lengths.firstEntry().getValue() > BUFFERED_BYTES) {
        bytes -= lengths.pollFirstEntry().getValue();
      }
    }

    boolean isFull() {
      return lengths.size() >= MOST_STEPS && bytes > BUFFERED_BYTES;
    }
  }
}
