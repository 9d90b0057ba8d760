package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/** All lines that speak for one cause. */
final class Suspicion {
  private static final int MOST_EVIDENCE = 10;

  private final String name;
  private final Rule rule;
  private final List<Sighting> sightings = new ArrayList<>();

  Suspicion(String name, Rule rule) {
    this.name = name;
    this.rule = rule;
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

  /** The line that shows the cause best: of the most telling pattern, the first. */
  Sighting decisive() {
    return sightings.stream()
        .min(Comparator.comparingInt(Sighting::pattern))
        .orElseThrow(IllegalStateException::new);
  }

  Sighting first() {
    return sightings.getFirst();
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
    support.forEach(s -> evidence.add(evidence(s.first(), logs.get(s.first().log()))));
    follows.stream()
        .filter(s -> rule.explains(s.rule()) && evidence.size() < MOST_EVIDENCE)
        .forEach(s -> evidence.add(evidence(s.decisive(), logs.get(s.decisive().log()))));
    OptionalInt rank = rank(decisive, logs);
    if (rank.isEmpty()) {
      rank = accused;
    }
    Optional<String> host =
        decisive
            .line()
            .host()
            .or(() -> sightings.stream().flatMap(s -> s.line().host().stream()).findFirst());
    Map<String, String> values = new HashMap<>();
    sightings.reversed().forEach(s -> values.putAll(s.captures()));
    values.putAll(decisive.captures());
    if (rank.isPresent()) {
      values.put("rank", Integer.toString(rank.getAsInt()));
    }
    host.ifPresent(h -> values.putIfAbsent("host", h));
    List<Evidence> consequences =
        follows.stream().map(s -> evidence(s.decisive(), logs.get(s.decisive().log()))).toList();
    return new Finding(
        name,
        rule.component(),
        rule.role(),
        confidence,
        Template.fill(rule.what(), values),
        List.copyOf(evidence),
        rank,
        decisive.line().localRank(),
        ranks(),
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

  private OptionalInt rank(Sighting decisive, List<ScannedLog> logs) {
    OptionalInt own = Conditions.rankOf(decisive);
    if (own.isPresent()) {
      return own;
    }
    OptionalInt fileRank = logs.get(decisive.log()).source().rank();
    if (fileRank.isPresent()) {
      return fileRank;
    }
    List<Integer> ranks = ranks();
    return ranks.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ranks.getFirst());
  }

  private List<Integer> ranks() {
    return sightings.stream()
        .flatMap(s -> Conditions.rankOf(s).stream().boxed())
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
