package dev.duoka.train.run;

import dev.duoka.train.config.ValidationSettings;
import java.util.OptionalDouble;

/**
 * Which validation of a run was the best so far.
 *
 * @param step after which it was; 0 before any
 * @param value what it is judged by; NaN before any
 * @param since validations after it, none of which was better
 * @param by what it is judged by, as {@code ValidationSettings.judgedBy} says it; empty before any,
 *     and where an older version has not said it
 */
record BestStep(long step, double value, long since, String by) {
  static final BestStep NONE = new BestStep(0, Double.NaN, 0, "");

  /** Whether the value cannot be compared with what a run is judged by now. */
  boolean isOfOther(String byNow) {
    return !by.isEmpty() && !by.equals(byNow);
  }

  /**
   * After another validation. A value that is no number is never the best.
   *
   * @param measured what it is judged by; empty where that was not measured
   * @param settings which say what that is
   */
  BestStep after(long stepNow, OptionalDouble measured, ValidationSettings settings) {
    if (measured.isEmpty()) {
      return this; // nothing can be said of this one
    }
    double now = measured.getAsDouble();
    boolean better =
        !Double.isNaN(now)
            && (Double.isNaN(value) || (settings.largestIsBest() ? now > value : now < value));
    return better
        ? new BestStep(stepNow, now, 0, settings.judgedBy())
        : new BestStep(step, value, since + 1, settings.judgedBy());
  }

  /** Whether it was the last validation, after this step. */
  boolean isAt(long stepNow) {
    return since == 0 && step == stepNow && step > 0;
  }

  /** Whether a run ends because so many validations in a row were no better. */
  boolean ends(ValidationSettings settings) {
    return settings.stopAfter() > 0 && since >= settings.stopAfter();
  }
}
