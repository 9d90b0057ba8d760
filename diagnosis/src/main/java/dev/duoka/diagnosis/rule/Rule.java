package dev.duoka.diagnosis.rule;

import java.util.List;
import java.util.Optional;

/**
 * What a kind of line means. Texts may name groups of the patterns and {@code rank}, {@code host}:
 * <code>{gpu|the GPU}</code> is the group {@code gpu}, or the words behind the bar where it is
 * missing.
 *
 * @param id the root cause, unique; may hold placeholders
 * @param role what such a line proves
 * @param confidence how certain the cause is when the line is there, 0 to 1
 * @param what one line: what happened
 * @param why why this is the cause and not a consequence
 * @param fix what to do, commands ready to paste
 * @param patterns the lines, the most telling first
 * @param refines the rule whose lines this one takes over where its conditions hold; it needs no
 *     patterns then
 * @param near what must be close by
 * @param where what must hold of the numbers in the line, of {@code rank}, and of {@code place},
 *     the rank's number on a host of eight GPUs
 * @param needs rules of which one must have been seen anywhere in the logs
 * @param without rules of which none may have been seen
 * @param explains rules whose lines are consequences where this one is seen; {@code *} at the end
 *     stands for anything
 * @param undoneBy rules whose later line about the same {@code device} says that it is over
 * @param decidedBy the procedure that chooses this rule, for those that no single line decides
 * @param sources where this is known from
 * @param example a log that shows it
 * @param nearMiss a log like it in which this rule must stay silent
 */
public record Rule(
    String id,
    Component component,
    Role role,
    double confidence,
    String what,
    String why,
    String fix,
    List<LinePattern> patterns,
    Optional<String> refines,
    Optional<Near> near,
    List<Comparison> where,
    List<String> needs,
    List<String> without,
    List<String> explains,
    List<String> undoneBy,
    Optional<String> decidedBy,
    List<String> sources,
    String example,
    String nearMiss) {

  /** Whether this rule makes a consequence of the other. */
  public boolean explains(Rule other) {
    return explains.stream().anyMatch(pattern -> matches(pattern, other.id));
  }

  /** Whether {@code pattern}, an id or its start and {@code *}, means this id. */
  public static boolean matches(String pattern, String id) {
    return pattern.endsWith("*")
        ? id.startsWith(pattern.substring(0, pattern.length() - 1))
        : pattern.equals(id);
  }
}
