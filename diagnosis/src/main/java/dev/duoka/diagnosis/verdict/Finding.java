package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Component;
import dev.duoka.diagnosis.rule.Role;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A cause, and what shows it.
 *
 * @param rootCause a stable name
 * @param role {@link Role#ROOT} where a line names the cause; weaker ones say that something failed
 *     without telling why
 * @param confidence 0 to 1
 * @param what one line: what happened
 * @param evidence the line that decides, then others
 * @param rank the rank that printed the deciding line
 * @param ranks all ranks that report it, ascending
 * @param why why this is the cause and not a consequence
 * @param fix what to do
 * @param consequences lines that follow from it
 * @param sources where the rule is known from
 */
public record Finding(
    String rootCause,
    Component component,
    Role role,
    double confidence,
    String what,
    List<Evidence> evidence,
    OptionalInt rank,
    OptionalInt localRank,
    List<Integer> ranks,
    Optional<String> host,
    String why,
    String fix,
    List<Evidence> consequences,
    List<String> sources) {
  /** The line that decides. */
  public Evidence decisive() {
    return evidence.getFirst();
  }
}
