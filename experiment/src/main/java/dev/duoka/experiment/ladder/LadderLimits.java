package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.OptionalInt;

/**
 * What a rung must reach.
 *
 * @param steps whose time is measured on each rung
 * @param leastSpeed of the predicted one, as a share
 * @param leastEfficiency of a card's speed on the first rung that holds the model, as a share
 * @param leastLink of what links should carry, as a share
 */
public record LadderLimits(int steps, double leastSpeed, double leastEfficiency, double leastLink) {
  private static final int SPEED = 80;
  private static final int SPEED_ON_A_CPU = 50;
  private static final int EFFICIENCY = 50;
  private static final int LINK = 25;
  private static final double PERCENT = 100;

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

  /**
   * Of shares in per cent; an empty one is the usual. The cores of a CPU are shared by all ranks
   * and with others, so that little follows from their speed.
   *
   * @param onCpu whether the ranks compute there
   */
  public static LadderLimits ofPercent(
      int steps, OptionalInt speed, OptionalInt efficiency, OptionalInt link, boolean onCpu) {
    return new LadderLimits(
        steps,
        speed.orElse(onCpu ? SPEED_ON_A_CPU : SPEED) / PERCENT,
        efficiency.orElse(onCpu ? 0 : EFFICIENCY) / PERCENT,
        link.orElse(LINK) / PERCENT);
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
