package dev.duoka.planner.search;

import dev.duoka.layout.Offload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Times the best candidates anew by what was measured on the machine: closed forms are up to a
 * fifth off where experts are, and only say which layouts are worth a dry run.
 */
final class PricedCandidates {
  /** So many of the best by closed forms are timed. */
  private static final int TRIED = 96;

  /** So many with the same axes and the same states. */
  private static final int OF_STATES = 3;

  /** Closed forms order two layouts rightly that are further apart. */
  static final double APART = 1.25;

  private final Evaluator evaluator;

  PricedCandidates(Evaluator evaluator) {
    this.evaluator = evaluator;
  }

  /**
   * These candidates, best first: those that may be the fastest by measured parts, the others by
   * closed forms that are off by as much as they are for these.
   *
   * @param ranked best first by closed forms
   * @param front those that are timed wherever they are in that order, if they may be the fastest
   */
  List<Candidate> with(List<Candidate> ranked, List<Candidate> front) {
    double most = ranked.isEmpty() ? 0 : APART * ranked.getFirst().score();
    Set<Candidate> near = near(ranked, most);
    front.stream()
        .filter(candidate -> candidate.score() <= most)
        .filter(Set.copyOf(ranked)::contains)
        .forEach(near::add);
    near.addAll(withoutOffload(near));
    near.removeIf(candidate -> !evaluator.isCounted(candidate.layout()));
    if (near.isEmpty()) {
      return ranked;
    }
    evaluator.price(near.stream().map(Candidate::layout).toList());
    List<Candidate> all = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (Candidate candidate : near) {
      double seconds = evaluator.time(candidate.layout()).total();
      all.add(candidate.taking(seconds));
      ratios.add(seconds / candidate.seconds());
    }
    double usual = ratios.stream().sorted().toList().get(ratios.size() / 2);
    ranked.stream()
        .filter(candidate -> !near.contains(candidate))
        .map(candidate -> candidate.taking(usual * candidate.seconds()))
        .forEach(all::add);
    all.sort(Candidate.BEST_FIRST);
    return all;
  }

  /**
   * The same layouts with all states on the cards, where they fit: timed and not guessed, so that
   * no layout seems fast because its states are away.
   */
  private List<Candidate> withoutOffload(Set<Candidate> near) {
    return near.stream()
        .map(Candidate::layout)
        .filter(layout -> layout.offload() != Offload.NONE)
        .map(Evaluator::withoutOffload)
        .distinct()
        .filter(layout -> evaluator.fit(layout, evaluator.demand(layout)) == Fit.FITS)
        .map(evaluator::candidate)
        .toList();
  }

  private static Set<Candidate> near(List<Candidate> ranked, double most) {
    Set<Candidate> near = new LinkedHashSet<>();
    Map<Object, Integer> ofStates = new HashMap<>();
    for (Candidate candidate : ranked) {
      if (near.size() == TRIED || candidate.score() > most) {
        break;
      }
      if (ofStates.merge(candidate.states(), 1, Integer::sum) <= OF_STATES) {
        near.add(candidate);
      }
    }
    return near;
  }
}
