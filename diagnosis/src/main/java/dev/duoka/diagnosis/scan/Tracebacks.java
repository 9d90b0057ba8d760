package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.LineKinds;
import java.util.List;
import java.util.Map;

/**
 * Python's tracebacks of one scan, and which exceptions ended a program. The interpreter prints a
 * traceback without a word before it when it ends; loggers and threads say something first.
 */
public final class Tracebacks {
  static final String RULE = "unknown_traceback";

  private static final String LEAD = "lead";
  private static final String HANDLED = "handled";
  private static final String CHAINED = "chained";

  /** Lines between the head of a traceback and its exception. */
  private static final int LONGEST = 120;

  private final List<Sighting> heads;

  /** The tracebacks among these lines, which are in the order of the log. */
  public Tracebacks(List<Sighting> sightings) {
    heads = sightings.stream().filter(s -> s.rule().id().equals(RULE)).toList();
  }

  /** What the line before a traceback says of it, as values of its sighting. */
  static Map<String, String> lead(String before) {
    String body = LogLine.of(before).body();
    if (LineKinds.isChained(body)) {
      return Map.of(LEAD, CHAINED);
    }
    return LineKinds.isHandled(body) ? Map.of(LEAD, HANDLED) : Map.of();
  }

  /** Whether the line is the exception of a traceback that nobody handled: its process is dead. */
  public boolean ended(Sighting s) {
    for (int i = heads.size() - 1; i >= 0; i--) {
      Sighting head = heads.get(i);
      if (!isAbove(head, s)) {
        continue;
      }
      String lead = head.captures().getOrDefault(LEAD, "");
      if (!lead.equals(CHAINED)) {
        return !lead.equals(HANDLED);
      }
    }
    return false;
  }

  /** Whether below each of these tracebacks one of the lines is what it ends with. */
  public static boolean areReadBy(List<Sighting> heads, List<Sighting> lines) {
    return heads.stream()
        .allMatch(
            head ->
                head.rule().id().equals(RULE) && lines.stream().anyMatch(s -> isAbove(head, s)));
  }

  private static boolean isAbove(Sighting head, Sighting s) {
    return head.log() == s.log()
        && head.number() <= s.number()
        && s.number() - head.number() <= LONGEST
        && head.line().rank().equals(s.line().rank())
        && head.line().localRank().equals(s.line().localRank());
  }
}
