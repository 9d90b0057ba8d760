package dev.duoka.diagnosis.rule;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How a line looks that speaks of failures without reporting one: a quoted sample, a question, a
 * policy, source code.
 *
 * @param match what the line looks like
 * @param except what makes it a report all the same
 * @param examples lines that it knows
 */
public record Mention(
    String id,
    Pattern match,
    Optional<Pattern> except,
    List<String> sources,
    List<String> examples) {

  /** Whether the line only speaks of a failure. */
  public boolean knows(String body) {
    return match.matcher(body).find()
        && except.filter(pattern -> pattern.matcher(body).find()).isEmpty();
  }
}
