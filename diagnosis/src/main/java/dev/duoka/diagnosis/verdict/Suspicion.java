package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Role;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import dev.duoka.diagnosis.scan.Tracebacks;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/** All lines that speak for one cause. */
final class Suspicion {
  private static final int MOST_EVIDENCE = 10;

  private final String name;
  private final Rule rule;
  private final double weight;
  private final List<Sighting> sightings = new ArrayList<>();

  /**
   * @param weight what the rule's confidence is multiplied with
   */
  Suspicion(String name, Rule rule, double weight) {
    this.name = name;
    this.rule = rule;
    this.weight = weight;
  }

  /** How certain the cause is by its lines alone. */
  double confidence() {
    return weight * rule.confidence();
  }

  String name() {
    return name;
  }

  Rule rule() {
    return rule;
  }

  void add(Sighting sighting) {
    sightings.add(sighting);
  }

  /** Whether these lines say what the other's tracebacks end with. */
  boolean reads(Suspicion other) {
    return rule.role() == Role.CASCADE && Tracebacks.areReadBy(other.sightings, sightings);
  }

  /** The ranks that these lines name as failed or missing. */
  List<Integer> accused() {
    List<Integer> named = new ArrayList<>();
    for (Sighting s : sightings) {
      String value = s.captures().getOrDefault("accused", s.captures().get("rank"));
      if (value != null && value.matches("\\d{1,6}")) {
        named.add(Integer.parseInt(value));
      }
    }
    return named;
  }

  /** The ranks that print these lines. */
  List<Integer> reporters() {
    return sightings.stream()
        .flatMapToInt(s -> Conditions.rankOf(s).stream())
        .distinct()
        .boxed()
        .toList();
  }

  /** The line that shows the cause best: of the most telling pattern, the first. */
  Sighting decisive() {
    return sightings.stream()
        .min(Comparator.comparingInt(Sighting::pattern))
        .orElseThrow(IllegalStateException::new);
  }

  Sighting first() {
    return sightings.getFirst();
  }

  /**
   * Whether its line tells more by its rule's own patterns: a link's fatal error, not another's.
   */
  boolean isMoreTellingThan(Suspicion other) {
    return rule.component() == other.rule.component()
        && decisive().pattern() < other.decisive().pattern();
  }

  /** Whether this was certainly there before the other: by line in one log, by clock in two. */
  boolean isBefore(Suspicion other) {
    Sighting mine = first();
    Sighting its = other.first();
    if (mine.log() == its.log()) {
      return mine.number() < its.number();
    }
    return mine.line().time().isPresent()
        && its.line().time().isPresent()
        && mine.line().time().getAsLong() < its.line().time().getAsLong();
  }

  Finding finding(
      double confidence,
      List<ScannedLog> logs,
      List<Suspicion> support,
      List<Suspicion> follows,
      OptionalInt accused) {
    Sighting decisive = decisive();
    List<Evidence> evidence = evidence(decisive, logs);
    List<Evidence> own = List.copyOf(evidence);
    support.forEach(s -> evidence.add(evidence(s.first(), logs.get(s.first().log()))));
    follows.stream()
        .filter(s -> rule.explains(s.rule()) && evidence.size() < MOST_EVIDENCE)
        .forEach(s -> evidence.add(evidence(s.decisive(), logs.get(s.decisive().log()))));
    String subject = decisive.captures().get(Watchdog.SUBJECT);
    OptionalInt rank = subject == null ? rank(decisive, logs) : number(subject);
    boolean elsewhere = subject != null && !rank.equals(Conditions.rankOf(decisive));
    if (rank.isEmpty() && subject == null) {
      rank = accused;
    }
    Optional<String> host =
        elsewhere
            ? Optional.empty()
            : decisive
                .line()
                .host()
                .or(() -> Optional.ofNullable(decisive.captures().get("host")))
                .or(() -> sightings.stream().flatMap(s -> s.line().host().stream()).findFirst());
    Map<String, String> values = new HashMap<>();
    sightings.reversed().forEach(s -> values.putAll(s.captures()));
    values.putAll(decisive.captures());
    if (rank.isPresent()) {
      values.put("rank", Integer.toString(rank.getAsInt()));
    }
    host.ifPresent(h -> values.putIfAbsent("host", h));
    List<Integer> ranks = ranks(logs);
    List<Evidence> consequences =
        distinct(
            follows.stream()
                .map(s -> evidence(s.decisive(), logs.get(s.decisive().log())))
                .toList(),
            own);
    return new Finding(
        name,
        rule.component(),
        rule.role(),
        confidence,
        Template.fill(rule.what(), values),
        distinct(evidence, List.of()),
        rank,
        elsewhere ? OptionalInt.empty() : decisive.line().localRank(),
        ranks.isEmpty() && rank.isPresent() ? List.of(rank.getAsInt()) : ranks,
        host,
        Template.fill(rule.why(), values),
        Template.fill(rule.fix(), values),
        consequences,
        rule.sources());
  }

  /** The deciding line, then the first line of each other pattern and of other ranks. */
  private List<Evidence> evidence(Sighting decisive, List<ScannedLog> logs) {
    List<Evidence> evidence = new ArrayList<>();
    evidence.add(evidence(decisive, logs.get(decisive.log())));
    TreeSet<Integer> patterns = new TreeSet<>();
    patterns.add(decisive.pattern());
    for (Sighting s : sightings) {
      if (evidence.size() < MOST_EVIDENCE && patterns.add(s.pattern())) {
        evidence.add(evidence(s, logs.get(s.log())));
      }
    }
    TreeSet<String> texts = new TreeSet<>();
    evidence.forEach(e -> texts.add(e.text()));
    for (Sighting s : sightings) {
      if (evidence.size() < MOST_EVIDENCE && texts.add(s.line().text().strip())) {
        evidence.add(evidence(s, logs.get(s.log())));
      }
    }
    return evidence;
  }

  /** Each line once, whatever rules know it, and none of those that stand elsewhere. */
  private static List<Evidence> distinct(List<Evidence> lines, List<Evidence> elsewhere) {
    Set<String> seen = new HashSet<>();
    elsewhere.forEach(e -> seen.add(e.line() + ":" + e.file()));
    return lines.stream().filter(e -> seen.add(e.line() + ":" + e.file())).toList();
  }

  private static OptionalInt number(String text) {
    return text.matches("\\d{1,6}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
  }

  private OptionalInt rank(Sighting decisive, List<ScannedLog> logs) {
    OptionalInt own = Conditions.rankOf(decisive);
    if (own.isPresent()) {
      return own;
    }
    OptionalInt fileRank = logs.get(decisive.log()).source().rank();
    if (fileRank.isPresent()) {
      return fileRank;
    }
    List<Integer> ranks = ranks(logs);
    return ranks.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ranks.getFirst());
  }

  private List<Integer> ranks(List<ScannedLog> logs) {
    return sightings.stream()
        .flatMap(
            s -> {
              OptionalInt own = Conditions.rankOf(s);
              return (own.isPresent() ? own : logs.get(s.log()).source().rank()).stream().boxed();
            })
        .distinct()
        .sorted()
        .toList();
  }

  static Evidence evidence(Sighting s, ScannedLog log) {
    return new Evidence(
        s.rule().id(),
        log.source().name(),
        s.number(),
        s.line().text().stripTrailing(),
        Conditions.rankOf(s),
        s.line().host());
  }
}
