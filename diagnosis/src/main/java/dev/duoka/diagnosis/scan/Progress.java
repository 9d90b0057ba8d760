package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.ProgressRule;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * The last lines of one log that show that the run went on or ended well, by who printed them. Of
 * each origin only the last steps are kept: whether steps follow a line is all that is asked.
 */
public final class Progress {
  /** Steps of one origin that are kept. */
  public static final int MOST_STEPS = 20;

  private static final int MOST_ORIGINS = 4096;

  /** The origin of lines that do not tell theirs. */
  public static final String UNKNOWN = "";

  private final Map<String, TreeSet<Long>> steps = new HashMap<>();
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

  void add(String origin, ProgressRule.Kind kind, long number) {
    if (kind == ProgressRule.Kind.END) {
      ends.merge(origin, number, Math::max);
      return;
    }
    if (steps.size() >= MOST_ORIGINS && !steps.containsKey(origin)) {
      return;
    }
    TreeSet<Long> kept = steps.computeIfAbsent(origin, o -> new TreeSet<>());
    kept.add(number);
    if (kept.size() > MOST_STEPS) {
      kept.pollFirst();
    }
  }

  boolean isFull(String origin) {
    return steps.containsKey(origin) && steps.get(origin).size() >= MOST_STEPS;
  }

  int origins() {
    return steps.size();
  }

  /** Adds what a later block holds. */
  void addAll(Progress later, long lines) {
    later.steps.forEach(
        (origin, numbers) -> numbers.forEach(n -> add(origin, ProgressRule.Kind.STEP, n + lines)));
    later.ends.forEach((origin, n) -> add(origin, ProgressRule.Kind.END, n + lines));
  }

  /** How many steps of this origin follow the line, counted up to {@link #MOST_STEPS}. */
  public int stepsAfter(long number, String origin) {
    TreeSet<Long> kept = steps.get(origin);
    return kept == null ? 0 : kept.tailSet(number, false).size();
  }

  /** The same of the origin that has most. */
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
}
