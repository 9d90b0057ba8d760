package dev.duoka.train.run;

import java.util.OptionalDouble;

/**
 * Which validation of a run was the best so far.
 *
 * @param step after which it was; 0 before any
 * @param value what it is judged by; NaN before any
 * @param since validations after it, none of which was better
 */
record BestStep(long step, double value, long since) {
  static final BestStep NONE = new BestStep(0, Double.NaN, 0);

  /**
   * After another validation. A value that is no number is never the best.
   *
   * @param measured what it is judged by; empty where that was not measured
   */
  BestStep after(long stepNow, OptionalDouble measured, boolean largestIsBest) {
    if (measured.isEmpty()) {
      return this; // nothing can be said of this one
    }
    double now = measured.getAsDouble();
    boolean better =
        !Double.isNaN(now) && (Double.isNaN(value) || (largestIsBest ? now > value : now < value));
    return better ? new BestStep(stepNow, now, 0) : new BestStep(step, value, since + 1);
  }

  /** Whether it was the last validation, after this step. */
  boolean isAt(long stepNow) {
    return since == 0 && step == stepNow && step > 0;
  }
}
