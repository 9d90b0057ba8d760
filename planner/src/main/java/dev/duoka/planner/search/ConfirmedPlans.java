package dev.duoka.planner.search;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The best of each kind of the candidates that closed forms let through, each with the memory that
 * its dry run counts. Only as many are run as are needed.
 */
final class ConfirmedPlans {
  /** Of one mesh so many are taken at most. */
  private static final int OF_MESH = 2;

  /** After so many dry runs whatever has been found is enough. */
  private static final int PATIENCE = 12;

  private final Evaluator evaluator;
  private final int most;
  private final List<Plan> plans = new ArrayList<>();
  private final List<Misfit> refused = new ArrayList<>();
  private List<Candidate> ranked = List.of();

  /**
   * None yet.
   *
   * @param most how many to take
   */
  ConfirmedPlans(Evaluator evaluator, int most) {
    this.evaluator = evaluator;
    this.most = most;
  }

  /** Takes the best of these, which come best first. */
  void take(List<Candidate> candidates) {
    Set<Object> states = new HashSet<>();
    Map<Object, Integer> ofMesh = new HashMap<>();
    List<Candidate> failed = new ArrayList<>();
    Set<Candidate> out = new HashSet<>();
    int runs = 0;
    for (Candidate candidate : candidates) {
      if (plans.size() == most || (runs >= PATIENCE && !plans.isEmpty())) {
        break;
      }
      if (states.contains(candidate.states())
          || ofMesh.getOrDefault(candidate.mesh(), 0) == OF_MESH) {
        continue;
      }
      if (failed.stream().anyMatch(candidate::keepsNoLessThan)) {
        out.add(candidate);
        continue;
      }
      Plan plan = evaluator.plan(candidate.layout());
      runs++;
      if (evaluator.fits(plan.memory())) {
        plans.add(plan);
        states.add(candidate.states());
        ofMesh.merge(candidate.mesh(), 1, Integer::sum);
      } else {
        failed.add(candidate);
        out.add(candidate);
        refused.add(evaluator.misfit(candidate.layout(), plan.memory()));
      }
    }
    ranked = candidates.stream().filter(candidate -> !out.contains(candidate)).toList();
  }

  /** The plans, best first. */
  List<Plan> plans() {
    return plans;
  }

  /** What fits by closed forms, and by its dry run does not. */
  List<Misfit> refused() {
    return refused;
  }

  /** The candidates that no dry run refused. */
  List<Candidate> ranked() {
    return ranked;
  }
}
