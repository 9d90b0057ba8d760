package dev.duoka.planner.search;

import dev.duoka.layout.Precision;
import dev.duoka.planner.time.PricedSteps;
import java.util.List;
import java.util.Optional;

/**
 * What the search found.
 *
 * @param request what was asked
 * @param searched layouts that were considered
 * @param feasible those of them that fit
 * @param plans the best of each kind, best first
 * @param pareto plans that no other beats in time, memory and cost together, fastest first; of
 *     those that differ by less than 1.5 % in all three the fastest
 * @param paretoCut whether more of them are slower than these
 * @param misfits the nearest that do not fit and would be faster; the nearest at all where none
 *     would
 * @param changes what would make the job fit, where nothing does
 * @param rules rules of thumb beside the result
 * @param milliseconds that the search took
 */
public record PlanResult(
    PlanRequest request,
    int searched,
    int feasible,
    List<Plan> plans,
    List<Plan> pareto,
    boolean paretoCut,
    List<Misfit> misfits,
    List<Change> changes,
    List<RuleCheck> rules,
    double milliseconds) {
  public PlanResult {
    plans = List.copyOf(plans);
    pareto = List.copyOf(pareto);
    misfits = List.copyOf(misfits);
    changes = List.copyOf(changes);
    rules = List.copyOf(rules);
  }

  /**
   * What steps in the plans' precision need and the machine's profile does not have, so that times
   * are those of formulas; empty where nothing is missing, or no profile is there.
   */
  public List<String> profileLacks() {
    Precision precision =
        best().map(plan -> plan.layout().precision()).orElse(request.precisions().getFirst());
    return request
        .machine()
        .profile()
        .map(profile -> PricedSteps.lacking(profile, precision))
        .orElse(List.of());
  }

  /** The best plan; empty where nothing fits. */
  public Optional<Plan> best() {
    return plans.stream().findFirst();
  }

  /** The best plan that this version's engine runs. */
  public Optional<Plan> bestRunnable() {
    return plans.stream().filter(Plan::runnable).findFirst();
  }
}
