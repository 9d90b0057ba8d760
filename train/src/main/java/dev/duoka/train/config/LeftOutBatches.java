package dev.duoka.train.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which batches a run leaves out, as {@code data.leave_out} says.
 *
 * @param byStep how many, by the number of steps that were taken before
 */
public record LeftOutBatches(Map<Long, Long> byStep) {
  private static final Pattern ENTRY = Pattern.compile("(\\d{1,15}):(\\d{1,9})");

  public LeftOutBatches {
    byStep = Map.copyOf(byStep);
  }

  /** Those of a run file that was checked. */
  public static LeftOutBatches of(RunConfig config) {
    Map<Long, Long> byStep = new TreeMap<>();
    for (String entry : config.data().leaveOut()) {
      Matcher matcher = ENTRY.matcher(entry);
      if (matcher.matches()) {
        byStep.merge(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)), Long::sum);
      }
    }
    return new LeftOutBatches(byStep);
  }

  /** How many batches are left out when so many steps were taken. */
  public long after(long steps) {
    return byStep.getOrDefault(steps, 0L);
  }

  /** The first entry that says nothing; empty where all are right. */
  static Optional<String> wrong(List<String> entries) {
    return entries.stream().filter(entry -> !ENTRY.matcher(entry).matches()).findFirst();
  }
}
