package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Role;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.Scan;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Weighs the lines that were seen. The strongest role that is there is reported: causes before
 * failures of unknown cause, those before reports about others, those before consequences. What a
 * stronger line explains becomes its consequence.
 */
final class Judgement {
  /** What a cause loses when another one was certainly there before. */
  private static final double LATER = 0.06;

  /** The part of the doubt that stays when a second kind of line supports a cause. */
  private static final double DOUBT_LEFT = 0.6;

  /** The part of the confidence that stays where the run went on for a while, or may have. */
  private static final double RECALLED = 0.75;

  private static final int MOST_SURVIVED = 12;
  private static final int MOST_FINDINGS = 12;
  private static final int MOST_CONSEQUENCES = 12;

  private final Scan scan;
  private final RuleBook book;
  private final Aftermath aftermath;
  private final List<Evidence> survived = new ArrayList<>();

  Judgement(Scan scan, RuleBook book) {
    this.scan = scan;
    this.book = book;
    this.aftermath = new Aftermath(scan);
  }

  List<Finding> findings() {
    List<Sighting> lines = new ArrayList<>();
    List<Sighting> gone = new ArrayList<>();
    List<Sighting> doubted = new ArrayList<>();
    for (Sighting s : new Conditions(book, scan.sightings()).apply()) {
      if (!s.rule().role().canStandAlone()) {
        lines.add(s);
      } else if (aftermath.isSurvived(s)) {
        gone.add(s);
      } else {
        (aftermath.isInDoubt(s) ? doubted : lines).add(s);
      }
    }
    // A cause that is certain elsewhere is certain here too.
    Set<Rule> certain = lines.stream().map(Sighting::rule).collect(Collectors.toSet());
    if (doubted.removeIf(s -> certain.contains(s.rule()) && lines.add(s))) {
      lines.sort(Comparator.comparingInt(Sighting::log).thenComparingLong(Sighting::number));
    }
    new Overflows(book).of(scan).ifPresent(lines::add);
    new Versions(book).of(lines).ifPresent(lines::add);
    List<Suspicion> suspicions = new ArrayList<>(grouped(new Watchdog(book, lines).judged(), 1));
    // Reports of other processes say that the run did fail, and then nothing is in doubt.
    suspicions.addAll(grouped(doubted, failedWithoutCause(suspicions) ? 1 : RECALLED));
    if (failedWithoutCause(suspicions)) {
      List<Sighting> recalled = gone.stream().filter(aftermath::mayStillBeTheCause).toList();
      gone.removeAll(recalled);
      suspicions.addAll(grouped(recalled, RECALLED));
    }
    gone.stream()
        .filter(s -> s.rule().role().compareTo(Role.SYMPTOM) <= 0)
        .limit(MOST_SURVIVED)
        .forEach(s -> survived.add(Suspicion.evidence(s, scan.logs().get(s.log()))));
    if (suspicions.stream().allMatch(s -> !s.rule().role().canStandAlone() || isGivenUp(s))) {
      suspicions.addAll(grouped(silentEnds(), 1));
    }
    List<Suspicion> support = ofRole(suspicions, Role.CONFIRMATION);
    List<Suspicion> able =
        suspicions.stream().filter(s -> s.rule().role().canStandAlone()).toList();
    List<Suspicion> free = able.stream().filter(s -> !isExplained(s, able)).toList();
    List<Suspicion> candidates = free.isEmpty() ? able : free;
    Optional<Role> strongest =
        candidates.stream().map(s -> s.rule().role()).min(Comparator.naturalOrder());
    if (strongest.isEmpty()) {
      return List.of();
    }
    List<Suspicion> standing = ofRole(candidates, strongest.get());
    List<Suspicion> following = able.stream().filter(s -> !standing.contains(s)).toList();
    return ranked(standing, support, following);
  }

  /** Lines that look like failures, but the run went on; known once the findings are. */
  List<Evidence> survived() {
    return List.copyOf(survived);
  }

  private static boolean failedWithoutCause(List<Suspicion> suspicions) {
    List<Suspicion> able =
        suspicions.stream().filter(s -> s.rule().role().canStandAlone()).toList();
    return !able.isEmpty() && able.stream().noneMatch(s -> s.rule().role() == Role.ROOT);
  }

  /** Whether the line only says that somebody ended the run, as one ends what hangs. */
  private static boolean isGivenUp(Suspicion s) {
    return Set.of("interrupted_by_user", "sigterm_received", "slurm_cancelled", "unknown_traceback")
        .contains(s.rule().id());
  }

  private static boolean isExplained(Suspicion s, List<Suspicion> all) {
    return all.stream()
        .anyMatch(
            other ->
                other != s
                    && (other.reads(s)
                        || (other.rule().explains(s.rule()) && !s.rule().explains(other.rule()))));
  }

  private List<Finding> ranked(
      List<Suspicion> standing, List<Suspicion> support, List<Suspicion> following) {
    record Scored(Suspicion suspicion, double confidence, List<Suspicion> support) {}
    List<Scored> scored = new ArrayList<>();
    for (Suspicion s : standing) {
      double confidence = s.confidence();
      if (standing.stream().anyMatch(other -> other.isBefore(s) && !s.isMoreTellingThan(other))) {
        confidence -= LATER;
      }
      List<Suspicion> mine = support.stream().filter(c -> c.rule().explains(s.rule())).toList();
      for (int i = 0; i < mine.size(); i++) {
        confidence = 1 - (1 - confidence) * DOUBT_LEFT;
      }
      scored.add(new Scored(s, Math.round(confidence * 100) / 100.0, mine));
    }
    scored.sort(
        Comparator.comparingDouble((Scored s) -> -s.confidence())
            .thenComparingInt(s -> s.suspicion().decisive().pattern()));
    List<Finding> findings = new ArrayList<>();
    for (Scored s : scored.subList(0, Math.min(scored.size(), MOST_FINDINGS))) {
      // What no rule attributes to another cause follows from the best one.
      List<Suspicion> follows =
          following.stream()
              .filter(
                  f ->
                      s.suspicion().rule().explains(f.rule())
                          || (findings.isEmpty()
                              && standing.stream().noneMatch(o -> o.rule().explains(f.rule()))))
              .limit(MOST_CONSEQUENCES)
              .toList();
      findings.add(
          s.suspicion()
              .finding(
                  s.confidence(),
                  scan.logs(),
                  s.support(),
                  follows,
                  accused(s.suspicion(), following)));
    }
    return List.copyOf(findings);
  }

  /**
   * The one rank that launchers report as failed, or that did not come to a collective; where they
   * name none, the one rank that reports what this cause explains.
   */
  private static OptionalInt accused(Suspicion cause, List<Suspicion> following) {
    List<Integer> named =
        following.stream()
            .filter(s -> s.rule().role() == Role.MESSENGER)
            .flatMap(s -> s.accused().stream())
            .distinct()
            .toList();
    if (named.isEmpty()) {
      named =
          following.stream()
              .filter(s -> cause.rule().explains(s.rule()))
              .flatMap(s -> s.reporters().stream())
              .distinct()
              .toList();
    }
    return named.size() == 1 ? OptionalInt.of(named.getFirst()) : OptionalInt.empty();
  }

  private List<Sighting> silentEnds() {
    SilentEnd end = new SilentEnd(book);
    List<Sighting> ends = new ArrayList<>();
    for (int i = 0; i < scan.logs().size(); i++) {
      end.of(i, scan.logs().get(i)).ifPresent(ends::add);
    }
    // Only where every log ends like this: one that goes on shows that the job went on.
    return ends.size() == scan.logs().size() ? ends : List.of();
  }

  private static List<Suspicion> ofRole(List<Suspicion> suspicions, Role role) {
    return suspicions.stream().filter(s -> s.rule().role() == role).toList();
  }

  private static List<Suspicion> grouped(List<Sighting> lines, double weight) {
    Map<String, Suspicion> byName = new LinkedHashMap<>();
    for (Sighting s : lines) {
      String name = Template.fill(s.rule().id(), s.captures());
      byName.computeIfAbsent(name, n -> new Suspicion(n, s.rule(), weight)).add(s);
    }
    return List.copyOf(byName.values());
  }
}
