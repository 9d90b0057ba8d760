package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Decides what time-outs of collectives mean, from what each rank says it was waiting for: the same
 * first collective everywhere (the transport never worked), different ones (the program went
 * different ways), a rank that started none of them (it lags), or some ranks that say nothing
 * (their own log holds the cause).
 */
final class Watchdog {
  /** The rule whose lines are judged here. */
  static final String TIME_OUT = "collective_timeout";

  /** The capture that names the rank a finding is about; not a number where it is unknown. */
  static final String SUBJECT = "subject";

  private static final String FIRST = "first_collective_timeout";
  private static final String MISMATCH = "collective_mismatch_timeout";
  private static final String SILENT = "silent_rank";
  private static final String LAGGING = "lagging_rank";
  private static final String WORLD = "world_size";
  private static final int FEWEST_FOR_A_MAJORITY = 3;
  private static final int MOST_NAMED = 16;

  /** Names of operations that are whole, though others begin with them. */
  private static final Set<String> WHOLE =
      Set.of("ALLREDUCE", "ALLGATHER", "REDUCE", "REDUCE_SCATTER", "ALLTOALL", "GATHER", "SCATTER");

  private final RuleBook book;
  private final List<Sighting> timeOuts = new ArrayList<>();
  private final List<Sighting> rest = new ArrayList<>();
  private int world;

  private final Map<Integer, Waiting> byRank = new TreeMap<>();

  /** What one rank was waiting for when its first time-out struck. */
  private static final class Waiting {
    private String sequence = "";
    private String operation = "";
    private String size = "";
    private String completed = "";
    private String enqueued = "";
    private String group = "";
  }

  Watchdog(RuleBook book, List<Sighting> sightings) {
    this.book = book;
    for (Sighting s : sightings) {
      if (s.rule().id().equals(TIME_OUT)) {
        timeOuts.add(s);
        note(s);
      } else {
        rest.add(s);
        if (s.rule().id().equals(WORLD)) {
          world = Math.max(world, Integer.parseInt(s.captures().getOrDefault("world", "0")));
        }
      }
    }
  }

  private void note(Sighting s) {
    OptionalInt rank = Conditions.rankOf(s);
    if (rank.isEmpty()) {
      return;
    }
    Waiting waiting = byRank.computeIfAbsent(rank.getAsInt(), r -> new Waiting());
    Map<String, String> c = s.captures();
    if (waiting.operation.isEmpty()) {
      waiting.sequence = c.getOrDefault("seq", waiting.sequence);
      waiting.operation = c.getOrDefault("op", "");
      waiting.size = c.getOrDefault("numel", "");
    }
    if (waiting.completed.isEmpty()) {
      waiting.completed = c.getOrDefault("completed", "");
      waiting.enqueued = c.getOrDefault("enqueued", "");
      waiting.group = c.getOrDefault("group", "");
    }
  }

  /** All sightings, those of time-outs read as the rule that fits. */
  List<Sighting> judged() {
    if (timeOuts.isEmpty()) {
      return rest;
    }
    mendCutNames();
    List<Integer> silent = silent();
    List<Integer> lagging = lagging();
    Rule rule = book.rule(choose(silent, lagging));
    Map<String, String> facts = new HashMap<>();
    facts.put("waiting", named(byRank.keySet()));
    facts.put("silent", named(silent));
    facts.put("lagging", named(lagging));
    facts.put("collectives", collectives());
    if (below().size() == 1) {
      facts.put("accused", Integer.toString(below().getFirst()));
    }
    OptionalInt subject = rule.id().equals(LAGGING) ? only(lagging) : subject(rule, silent);
    if (Set.of(SILENT, MISMATCH, LAGGING).contains(rule.id())) {
      facts.put(SUBJECT, subject.isPresent() ? Integer.toString(subject.getAsInt()) : "unknown");
    }
    List<Sighting> all = new ArrayList<>(rest);
    for (Sighting s : timeOuts) {
      Map<String, String> captures = new HashMap<>(s.captures());
      captures.putAll(facts);
      // What was completed decides about a first collective; else the time-out itself.
      boolean telling =
          rule.id().equals(FIRST) && !s.captures().getOrDefault("completed", "").isEmpty();
      telling |=
          rule.id().equals(MISMATCH)
              && s.pattern() == 0
              && subject.isPresent()
              && Conditions.rankOf(s).equals(subject);
      telling |= rule.id().equals(LAGGING) && lagging.contains(Conditions.rankOf(s).orElse(-1));
      int pattern = telling ? 0 : s.pattern() + 1;
      all.add(new Sighting(rule, pattern, s.log(), s.number(), s.line(), captures));
    }
    return all;
  }

  /** A name that a terminal cut is the operation of the same number that begins so elsewhere. */
  private void mendCutNames() {
    for (Waiting cut : byRank.values()) {
      if (cut.operation.isEmpty() || WHOLE.contains(cut.operation)) {
        continue;
      }
      byRank.values().stream()
          .filter(w -> w.sequence.equals(cut.sequence))
          .map(w -> w.operation)
          .filter(name -> name.length() > cut.operation.length() && name.startsWith(cut.operation))
          .findFirst()
          .ifPresent(name -> cut.operation = name);
    }
  }

  /** The one rank that did not come, or that alone waits elsewhere; of two nobody knows which. */
  private OptionalInt subject(Rule rule, List<Integer> silent) {
    if (rule.id().equals(SILENT)) {
      return only(silent);
    }
    if (!rule.id().equals(MISMATCH) || byRank.size() < FEWEST_FOR_A_MAJORITY) {
      return OptionalInt.empty();
    }
    Map<String, List<Integer>> together = new TreeMap<>();
    byRank.forEach(
        (rank, w) ->
            together
                .computeIfAbsent(
                    w.sequence + " " + w.operation + " " + w.size, key -> new ArrayList<>())
                .add(rank));
    List<List<Integer>> alone = together.values().stream().filter(g -> g.size() == 1).toList();
    return alone.size() == 1 && together.size() == 2
        ? OptionalInt.of(alone.getFirst().getFirst())
        : OptionalInt.empty();
  }

  private static OptionalInt only(List<Integer> ranks) {
    return ranks.size() == 1 ? OptionalInt.of(ranks.getFirst()) : OptionalInt.empty();
  }

  /**
   * Ranks that report no time-out of their own and whose last started collective is before the one
   * that all others wait in, of the same process group.
   */
  private List<Integer> lagging() {
    List<Waiting> stuck = byRank.values().stream().filter(w -> !w.operation.isEmpty()).toList();
    Set<String> sequences = stuck.stream().map(w -> w.sequence).collect(Collectors.toSet());
    Set<String> groups =
        stuck.stream().map(w -> w.group).filter(g -> !g.isEmpty()).collect(Collectors.toSet());
    if (sequences.size() != 1 || groups.size() != 1 || sequences.contains("")) {
      return List.of();
    }
    long sequence = Long.parseLong(sequences.iterator().next());
    String group = groups.iterator().next();
    return byRank.entrySet().stream()
        .filter(e -> e.getValue().operation.isEmpty() && e.getValue().group.equals(group))
        .filter(e -> isBefore(e.getValue().enqueued, sequence))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static boolean isBefore(String enqueued, long sequence) {
    return enqueued.matches("-?\\d{1,18}") && Long.parseLong(enqueued) < sequence;
  }

  private String choose(List<Integer> silent, List<Integer> lagging) {
    Set<String> completed = distinct(w -> w.completed);
    Set<String> sequences = distinct(w -> w.sequence);
    boolean first =
        (!completed.isEmpty() && Set.of("-1", "0").containsAll(completed))
            || (completed.isEmpty() && sequences.equals(Set.of("1")));
    if (first) {
      return FIRST;
    }
    if (!lagging.isEmpty()) {
      return LAGGING;
    }
    boolean differs =
        sequences.size() > 1
            || distinct(w -> w.operation).size() > 1
            || distinct(w -> w.size).size() > 1;
    if (byRank.size() > 1 && differs) {
      return MISMATCH;
    }
    if (!silent.isEmpty()) {
      return SILENT;
    }
    return byRank.size() > 1 ? "same_collective_timeout" : "single_rank_timeout";
  }

  private Set<String> distinct(java.util.function.Function<Waiting, String> part) {
    return byRank.values().stream()
        .map(part)
        .filter(text -> !text.isEmpty())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Ranks of the world, or below the highest that speaks, that report no time-out. */
  private List<Integer> silent() {
    if (byRank.isEmpty()) {
      return List.of();
    }
    int highest = byRank.keySet().stream().mapToInt(Integer::intValue).max().orElse(0);
    // Ranks in between that say nothing count only where several speak, or where the world is
    // known.
    int end = world > highest ? world : byRank.size() > 1 ? highest + 1 : 0;
    List<Integer> silent = new ArrayList<>();
    for (int rank = 0; rank < end && silent.size() <= MOST_NAMED; rank++) {
      if (!byRank.containsKey(rank)) {
        silent.add(rank);
      }
    }
    return silent;
  }

  /** Ranks below the highest that speaks which say nothing: they exist, whatever the world. */
  private List<Integer> below() {
    int highest = byRank.keySet().stream().mapToInt(Integer::intValue).max().orElse(0);
    return java.util.stream.IntStream.range(0, highest)
        .filter(rank -> !byRank.containsKey(rank))
        .limit(2)
        .boxed()
        .toList();
  }

  private String collectives() {
    return byRank.entrySet().stream()
        .filter(e -> !e.getValue().operation.isEmpty() || e.getValue().enqueued.isEmpty())
        .limit(MOST_NAMED)
        .map(
            e ->
                "rank "
                    + e.getKey()
                    + ": "
                    + e.getValue().operation
                    + " #"
                    + e.getValue().sequence
                    + (e.getValue().size.isEmpty() ? "" : " of " + e.getValue().size))
        .collect(Collectors.joining("; "));
  }

  private static String named(java.util.Collection<Integer> ranks) {
    if (ranks.isEmpty()) {
      return "";
    }
    String list =
        ranks.stream().limit(MOST_NAMED).map(String::valueOf).collect(Collectors.joining(", "));
    return (ranks.size() == 1 ? "rank " : "ranks ")
        + list
        + (ranks.size() > MOST_NAMED ? ", …" : "");
  }
}
