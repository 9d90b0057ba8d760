package dev.duoka.train.run;

import dev.duoka.train.step.ExpertBalance;
import dev.duoka.train.step.GradientRanges;
import dev.duoka.train.step.RankState;

/** What is measured in a step now and then, launched with it and read with its report. */
final class StepMeasures {
  private GradientRanges ranges = GradientRanges.NONE;
  private ExpertBalance experts = ExpertBalance.NONE;

  /**
   * Launches all, of the rank as it stands.
   *
   * @param scale what the loss was multiplied by
   */
  void launch(RankState rank, double scale) {
    experts = ExpertBalance.launch(rank.model());
    ranges = GradientRanges.launch(rank.optimizer(), scale);
  }

  /** Of the gradients; nothing when they were not measured. */
  GradientRanges ranges() {
    return ranges;
  }

  /** How evenly experts were used; nothing when it was not measured. */
  ExpertBalance experts() {
    return experts;
  }
}
