package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * What a rung must reach.
 *
 * @param steps whose time is measured on each rung
 * @param leastSpeed of the predicted one, as a share
 * @param leastEfficiency of a card's speed on the first rung that holds the model, as a share
 * @param leastLink of what links should carry, as a share
 */
public record LadderLimits(int steps, double leastSpeed, double leastEfficiency, double leastLink) {
  /** Checks them. */
  public LadderLimits {
    if (steps < StepSpeeds.LEAST) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--steps is " + steps + ", which is too few for an interval",
          "Nearest valid: " + StepSpeeds.LEAST);
    }
    require("--least-speed", leastSpeed);
    require("--least-efficiency", leastEfficiency);
    require("--least-link", leastLink);
  }

  /** Of shares in per cent. */
  public static LadderLimits ofPercent(int steps, int speed, int efficiency, int link) {
    return new LadderLimits(steps, speed / 100.0, efficiency / 100.0, link / 100.0);
  }

  private static void require(String option, double share) {
    if (share < 0 || share > 1) {
      throw new DuokaException(
          ErrorCode.USAGE,
          option + " is " + Math.round(100 * share) + " %",
          "Give a whole number from 0 to 100");
    }
  }
}
