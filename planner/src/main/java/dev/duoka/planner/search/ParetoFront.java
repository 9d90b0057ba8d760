package dev.duoka.planner.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The candidates that no other beats in time, memory and cost together. */
final class ParetoFront {
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
   * At most so many of them, fastest first: the best of the ranked ones whatever happens, and of
   * those that differ too little to show one.
   */
  List<Candidate> shown(List<Candidate> ranked, int most) {
    List<Candidate> shown = new ArrayList<>(ranked.stream().limit(1).toList());
    front.stream()
        .sorted(
            Comparator.comparingDouble(Candidate::seconds)
                .thenComparing(candidate -> candidate.layout().toString()))
        .filter(candidate -> shown.size() < most)
        .filter(candidate -> shown.stream().noneMatch(other -> other.dominates(candidate)))
        .forEach(shown::add);
    shown.sort(Comparator.comparingDouble(Candidate::seconds));
    return shown;
  }
}
