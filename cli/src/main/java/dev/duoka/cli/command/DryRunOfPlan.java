package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.measure.step.LayoutMemory;
import dev.duoka.measure.step.RankLayout;
import dev.duoka.planner.layout.Layout;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.train.config.TrainingSettings;

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
    Layout layout = plan.layout();
    return LayoutMemory.count(
        result.request().shape().config(),
        new RankLayout(
            TrainingSettings.Precision.valueOf(layout.precision().name()),
            TrainingSettings.Recompute.valueOf(layout.recompute().name()),
            layout.data(),
            layout.zero(),
            layout.microBatch(),
            result.request().job().sequenceLength()),
        layout.toString(),
        plan.memory().allocated());
  }
}
