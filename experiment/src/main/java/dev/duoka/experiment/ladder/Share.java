package dev.duoka.experiment.ladder;

/**
 * How large one speed is as a part of another, with the interval that {@link
 * dev.duoka.experiment.verdict.Interval} gives.
 *
 * @param low the lower end
 * @param estimate 1 where they are the same
 * @param high the upper end
 */
public record Share(double low, double estimate, double high) {
  /** Whether it is certainly less. */
  boolean isBelow(double limit) {
    return high < limit;
  }

  /** Whether so few steps cannot tell on which side it is. */
  boolean isUnsureOf(double limit) {
    return low < limit && limit <= high;
  }
}
