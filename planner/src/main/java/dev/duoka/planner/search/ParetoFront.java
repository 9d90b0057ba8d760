package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The candidates that no other beats in time, memory and cost together. */
final class ParetoFront {
  /** So many times as many as are shown are timed. */
  private static final int TIMED = 2;

  private static final Comparator<Candidate> BY_TIME =
      Comparator.comparingDouble(Candidate::seconds)
          .thenComparing(candidate -> candidate.layout().toString());

  private final List<Candidate> front = new ArrayList<>();

  void add(Candidate candidate) {
    for (Candidate other : front) {
      if (other.beats(candidate)) {
        return;
      }
    }
    front.removeIf(candidate::beats);
    front.add(candidate);
  }

  /** All of them, in no order. */
  List<Candidate> all() {
    return List.copyOf(front);
  }

  /**
   * The fastest of a search's front.
   *
   * @param plans fastest first; none beats another
   * @param cut whether slower ones that need less memory or cost less were left out
   */
  record Shown(List<Plan> plans, boolean cut) {}

  /**
   * The front of a search, by what is shown of it: times by what was measured where it was, memory
   * by dry runs where the engine runs it. The plans of the search count as the others do, so none
   * of them beats what is here. Of those that differ too little to show there is one.
   */
  static Shown of(Planner.Findings findings, int most) {
    if (findings.plans().isEmpty()) {
      return new Shown(List.of(), false);
    }
    Evaluator evaluator = findings.evaluator();
    List<Plan> plans = new ArrayList<>(findings.plans());
    Set<Object> known = new HashSet<>();
    plans.forEach(plan -> known.add(plan.layout()));
    List<Candidate> all = differing(front(findings.candidates()));
    List<Candidate> timed = timed(evaluator, all.stream().limit((long) TIMED * most).toList());
    List<Candidate> worth =
        differing(front(timed)).stream().filter(it -> known.add(it.layout())).toList();
    worth.stream()
        .limit(most)
        .map(candidate -> evaluator.plan(candidate.layout()))
        .filter(plan -> evaluator.fits(plan.memory()))
        .forEach(plans::add);
    // The best comes first, so that it is the one of those that it differs little from.
    List<Layout> layouts =
        differing(
                front(plans.stream().map(Candidate::of).toList()).stream()
                    .sorted(
                        Comparator.comparing(
                                (Candidate it) -> !it.layout().equals(plans.getFirst().layout()))
                            .thenComparing(BY_TIME))
                    .toList())
            .stream()
            .map(Candidate::layout)
            .toList();
    List<Plan> shown =
        plans.stream()
            .filter(plan -> layouts.contains(plan.layout()))
            .sorted(Comparator.comparing(Candidate::of, BY_TIME))
            .toList();
    return new Shown(
        shown.stream().limit(most).toList(),
        shown.size() > most || worth.size() > most || all.size() > timed.size());
  }

  /** Those that no other beats, fastest first. */
  private static List<Candidate> front(List<Candidate> candidates) {
    ParetoFront front = new ParetoFront();
    candidates.stream().sorted(BY_TIME).forEach(front::add);
    return front.all().stream().sorted(BY_TIME).toList();
  }

  private static List<Candidate> timed(Evaluator evaluator, List<Candidate> candidates) {
    evaluator.price(candidates.stream().map(Candidate::layout).toList());
    return candidates.stream().map(it -> it.taking(evaluator.time(it.layout()).total())).toList();
  }

  /** Without those that differ too little from one before. */
  private static List<Candidate> differing(List<Candidate> front) {
    List<Candidate> differing = new ArrayList<>();
    front.stream()
        .filter(it -> differing.stream().noneMatch(other -> other.dominates(it)))
        .forEach(differing::add);
    return differing;
  }
}
