package dev.duoka.train.run;

import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.schedule.LearningRateSchedule;

/**
 * What a rank's loop goes by.
 *
 * @param totalSteps the run's length, which the schedule is made for
 * @param lastStep where this session ends; at most {@code totalSteps}
 * @param validateEvery steps; 0 for never
 * @param saveEvery steps; 0 for never
 * @param saveAtEnd whether the last step is saved too
 * @param rangesEvery steps between two measurements of gradient ranges; 0 for never
 * @param flopsPerToken that the model needs
 * @param peakFlops of one rank's device, a second; NaN where it is unknown
 * @param peakIsMeasured on this machine, rather than taken from a data sheet
 */
record LoopSettings(
    LearningRateSchedule schedule,
    long totalSteps,
    long lastStep,
    ValidationSettings validation,
    int validateEvery,
    int saveEvery,
    boolean saveAtEnd,
    int rangesEvery,
    long tokensPerStep,
    int sequenceLength,
    double flopsPerToken,
    double peakFlops,
    boolean peakIsMeasured) {
  /** Steps between two measurements of the exchange: its marks cost a little. */
  private static final int EXCHANGE_EVERY = 10;

  /** So many measurements of gradient ranges are made before they become rarer. */
  private static final long RANGES_BEFORE_THINNING = 2000;

  /** Whether validations have become no better for so long that the run is over. */
  boolean endsEarly(BestStep best) {
    return best.ends(validation);
  }

  boolean isLast(long step) {
    return step == lastStep;
  }

  /** Whether the held-out documents are evaluated after this step. */
  boolean validatesAfter(long step) {
    return validateEvery > 0 && (isLast(step) || step % validateEvery == 0);
  }

  /** Whether anything is ever evaluated. */
  boolean validates() {
    return validateEvery > 0;
  }

  /** Whether the state after this step is saved, if nothing else asks for it. */
  boolean savesAfter(long step) {
    return (saveEvery > 0 && step % saveEvery == 0) || (saveAtEnd && isLast(step));
  }

  /** Whether a state is saved after a later step, with more steps to come after that. */
  boolean savesBetween(long step) {
    boolean every = saveEvery > 0 && (step / saveEvery + 1) * saveEvery < lastStep;
    return every || (validation.keepBest() && validateEvery > 0 && validateEvery < lastStep - step);
  }

  /**
   * Whether the gradients' ranges are measured in this step. They are the largest part of what a
   * run writes, so each time that the run is twice as long again they become half as frequent.
   */
  boolean measuresRangesIn(long step) {
    if (rangesEvery == 0) {
      return false;
    }
    long often = rangesEvery * RANGES_BEFORE_THINNING;
    long every = rangesEvery;
    while (step > often) {
      often *= 2;
      every *= 2;
    }
    return step % every == 0;
  }

  /** Whether it is measured in this step how much of the exchange no computation hides. */
  boolean measuresExchangeIn(long step) {
    return step % EXCHANGE_EVERY == EXCHANGE_EVERY / 2 && !measuresRangesIn(step);
  }

  /**
   * Model FLOPs utilisation of so many ranks. A peak that was measured on this CPU while it was
   * busy with something else may be too low; the run's own rate is then the best that was seen.
   */
  double mfu(double tokensPerSecond, int ranks) {
    double share = tokensPerSecond * flopsPerToken / (peakFlops * ranks);
    return peakIsMeasured ? Math.min(1, share) : share;
  }
}
