package dev.duoka.cli.command;

import dev.duoka.measure.step.LayoutMemory;
import dev.duoka.planner.search.PlanResult;
import java.util.Optional;

/** Holds the best plan that the engine runs against what the engine books with shapes alone. */
final class DryRunOfPlan {
  private DryRunOfPlan() {}

  /** What the engine books; empty where it runs none of the layouts that fit. */
  static Optional<LayoutMemory> count(PlanResult result) {
    return result
        .bestRunnable()
        .map(
            plan ->
                LayoutMemory.count(
                    result.request().shape().config(),
                    plan.layout(),
                    result.request().job().sequenceLength(),
                    plan.memory().allocated()));
  }
}
