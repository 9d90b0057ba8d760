package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.Rule;
import java.util.Map;

/**
 * A line that a rule knows.
 *
 * @param pattern which of the rule's patterns it is
 * @param log the index of the log
 * @param number the line's number in its log, from 1
 * @param captures what the pattern's named groups hold
 */
public record Sighting(
    Rule rule, int pattern, int log, long number, LogLine line, Map<String, String> captures) {

  Sighting shifted(int newLog, long lines) {
    return new Sighting(rule, pattern, newLog, number + lines, line, captures);
  }

  /** The same line, read as another rule. */
  public Sighting as(Rule other, Map<String, String> newCaptures) {
    return new Sighting(other, 0, log, number, line, newCaptures);
  }
}
