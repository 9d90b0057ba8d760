package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.measure.step.LayoutMemory;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanResult;

/** Holds the best plan that the engine runs against what the engine books with shapes alone. */
final class DryRunOfPlan {
  private DryRunOfPlan() {}

  static LayoutMemory count(PlanResult result) {
    Plan plan =
        result
            .bestRunnable()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.CONFIG,
                        "--verify has nothing to run: this version runs none of the layouts that"
                            + " fit",
                        "Leave it out."));
    return LayoutMemory.count(
        result.request().shape().config(),
        plan.layout(),
        result.request().job().sequenceLength(),
        plan.memory().allocated());
  }
}
