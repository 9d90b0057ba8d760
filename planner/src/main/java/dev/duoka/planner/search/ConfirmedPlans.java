package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.planner.memory.MemoryEstimate;
import java.util.ArrayList;
import java.util.Comparator;
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

  /** After so many in turn that failed whatever has been found is enough. */
  private static final int PATIENCE = 14;

  /** After so many that all failed the closed forms are wrong, and others are as good. */
  private static final int LEAST_HOPE = 24;

  /** How much of what a refusal says of its like is taken for sure. */
  private static final double SURE = 0.98;

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
    List<Refusal> failed = new ArrayList<>();
    Set<Candidate> out = new HashSet<>();
    int failures = 0;
    for (Candidate candidate : candidates) {
      if (plans.size() == most || failures >= (plans.isEmpty() ? LEAST_HOPE : PATIENCE)) {
        break;
      }
      if (states.contains(candidate.states())
          || ofMesh.getOrDefault(candidate.mesh(), 0) == OF_MESH
          || offloadsForNothing(candidate.layout())
          || evaluator.fitsWithoutOffload(candidate.layout())) {
        continue;
      }
      if (failed.stream().anyMatch(it -> it.holdsFor(candidate))) {
        out.add(candidate);
        continue;
      }
      Plan plan = evaluator.plan(candidate.layout());
      if (evaluator.fits(plan.memory())) {
        plans.add(plan);
        failures = 0;
        states.add(candidate.states());
        ofMesh.merge(candidate.mesh(), 1, Integer::sum);
      } else {
        failures++;
        failed.add(new Refusal(candidate, plan.memory()));
        out.add(candidate);
        refused.add(evaluator.misfit(candidate.layout(), plan.memory()));
      }
    }
    ranked = candidates.stream().filter(candidate -> !out.contains(candidate)).toList();
  }

  /** Whether the same mesh without offload fits, and is no slower: it came before. */
  private boolean offloadsForNothing(Layout layout) {
    return layout.offload() != Offload.NONE
        && plans.stream()
            .map(Plan::layout)
            .filter(it -> it.offload() == Offload.NONE)
            .anyMatch(it -> Candidate.Mesh.of(it).equals(Candidate.Mesh.of(layout)));
  }

  /** A candidate that its dry run refused, with what that counted. */
  private final class Refusal {
    private final Candidate candidate;
    private final MemoryEstimate counted;

    Refusal(Candidate candidate, MemoryEstimate counted) {
      this.candidate = candidate;
      this.counted = counted;
    }

    /**
     * Whether another does not fit either: it keeps no less, or is of the same kind, of which the
     * closed form is known to be that far off. In host memory states take what they take in any
     * layout.
     */
    boolean holdsFor(Candidate other) {
      if (!evaluator.fits(0, counted.hostBytes())) {
        return other.hostBytes() >= SURE * candidate.hostBytes();
      }
      return other.keepsNoLessThan(candidate)
          || (other.isOfTheKindOf(candidate)
              && !evaluator.fits(SURE * counted.total() * other.bytes() / candidate.bytes(), 0));
    }
  }

  /** The plans, best first. */
  List<Plan> plans() {
    return plans;
  }

  /** Has the fastest come first: not all were timed before they were taken. */
  void orderByTime() {
    List<Plan> all = new ArrayList<>(plans);
    all.sort(Comparator.comparingDouble(plan -> Candidate.of(plan).score()));
    plans.clear();
    all.stream().filter(plan -> !offloadsForNothing(plan.layout())).forEachOrdered(plans::add);
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
