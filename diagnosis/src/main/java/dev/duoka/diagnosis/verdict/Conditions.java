package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Comparison;
import dev.duoka.diagnosis.rule.Near;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Drops lines whose rule's conditions do not hold, and reads others as a rule that is more exact.
 */
final class Conditions {
  /** Ranks of further hosts begin with the first GPU again. */
  private static final int GPUS_OF_A_HOST = 8;

  private final RuleBook book;
  private final List<Sighting> sightings;
  private final Map<String, List<Sighting>> byRule = new HashMap<>();
  private final Map<String, List<Rule>> refinements = new HashMap<>();
  private final Set<String> seen = new HashSet<>();

  Conditions(RuleBook book, List<Sighting> sightings) {
    this.book = book;
    this.sightings = sightings;
    for (Sighting s : sightings) {
      byRule.computeIfAbsent(s.rule().id(), id -> new ArrayList<>()).add(s);
      seen.add(s.rule().id());
    }
    for (Rule rule : book.rules()) {
      rule.refines()
          .ifPresent(base -> refinements.computeIfAbsent(base, b -> new ArrayList<>()).add(rule));
    }
  }

  List<Sighting> apply() {
    List<Sighting> kept = new ArrayList<>();
    for (Sighting s : sightings) {
      if (hold(s.rule(), s)) {
        kept.add(refined(s));
      }
    }
    return kept;
  }

  private Sighting refined(Sighting s) {
    for (Rule finer : refinements.getOrDefault(s.rule().id(), List.of())) {
      if (hold(finer, s)) {
        Map<String, String> captures = new HashMap<>(s.captures());
        finer
            .near()
            .flatMap(near -> nearest(near, s))
            .ifPresent(o -> o.captures().forEach(captures::putIfAbsent));
        return s.as(finer, captures);
      }
    }
    return s;
  }

  private boolean hold(Rule rule, Sighting s) {
    if (!rule.needs().isEmpty() && rule.needs().stream().noneMatch(this::wasSeen)) {
      return false;
    }
    if (rule.without().stream().anyMatch(this::wasSeen)) {
      return false;
    }
    if (rule.near().isPresent() && nearest(rule.near().get(), s).isEmpty()) {
      return false;
    }
    if (rule.where().isEmpty()) {
      return true;
    }
    Map<String, String> values = new HashMap<>(s.captures());
    rankOf(s)
        .ifPresent(
            rank -> {
              values.putIfAbsent("rank", Integer.toString(rank));
              values.put("place", Integer.toString(rank % GPUS_OF_A_HOST));
            });
    for (Comparison comparison : rule.where()) {
      if (!comparison.holds(values)) {
        return false;
      }
    }
    return true;
  }

  private boolean wasSeen(String pattern) {
    return pattern.endsWith("*")
        ? seen.stream().anyMatch(id -> Rule.matches(pattern, id))
        : seen.contains(pattern);
  }

  /** The line closest to this one that the condition asks for. */
  private Optional<Sighting> nearest(Near near, Sighting s) {
    Sighting closest = null;
    long closestDistance = Long.MAX_VALUE;
    for (String id : near.rules()) {
      for (Sighting other : byRule.getOrDefault(book.rule(id).id(), List.of())) {
        long distance = other.number() - s.number();
        if (other.log() == s.log()
            && -near.before() <= distance
            && distance <= near.after()
            && sameRank(s, other)
            && Math.abs(distance) < closestDistance) {
          closest = other;
          closestDistance = Math.abs(distance);
        }
      }
    }
    return Optional.ofNullable(closest);
  }

  private static boolean sameRank(Sighting a, Sighting b) {
    OptionalInt first = a.line().rank();
    OptionalInt second = b.line().rank();
    return first.isEmpty() || second.isEmpty() || first.equals(second);
  }

  /** The rank that printed the line, or that the line speaks of. */
  static OptionalInt rankOf(Sighting s) {
    if (s.line().rank().isPresent()) {
      return s.line().rank();
    }
    String named = s.captures().get("rank");
    return named != null && named.matches("\\d{1,6}")
        ? OptionalInt.of(Integer.parseInt(named))
        : OptionalInt.empty();
  }
}
