package dev.duoka.experiment.verdict;

/**
 * Where a mean lies, as far as what was measured tells. Differences are relative: 0.02 is 2 % more.
 *
 * @param low the lower end
 * @param estimate the mean of what was measured
 * @param high the upper end
 * @param seen the smallest difference that so many values of this spread show about nine times out
 *     of ten; 0 where the values do not vary, no finite number where none would
 */
public record Interval(double low, double estimate, double high, double seen) {
  /** How sure an interval is to hold the true mean. */
  public static final double CONFIDENCE = 0.99;

  /** Share of a distribution within ± the point that one value in ten lies above. */
  private static final double POWER = 0.8;

  /**
   * The interval of a mean of independent values, by Student's distribution.
   *
   * @param values at least two
   * @throws IllegalArgumentException when there are fewer
   */
  public static Interval ofMean(double[] values) {
    int count = values.length;
    if (count < 2) {
      throw new IllegalArgumentException("an interval of " + count + " values is not known");
    }
    double mean = 0;
    for (double value : values) {
      mean += value / count;
    }
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    double error = Math.sqrt(squares / (count - 1) / count);
    double half = StudentT.quantile(CONFIDENCE, count - 1) * error;
    return new Interval(
        mean - half, mean, mean + half, half + StudentT.quantile(POWER, count - 1) * error);
  }

  /** Of something that was counted, and does not vary. */
  public static Interval exact(double value) {
    return new Interval(value, value, value, 0);
  }

  /** The same where a difference shows only when it is larger by so much. */
  Interval seenBeyond(double spread) {
    return new Interval(low, estimate, high, seen + spread);
  }

  /** From differences of logarithms to relative differences. */
  public Interval expm1() {
    return new Interval(Math.expm1(low), Math.expm1(estimate), Math.expm1(high), Math.expm1(seen));
  }

  boolean isWithin(double margin) {
    return -margin <= low && high <= margin;
  }

  boolean excludesZero(double spread) {
    return low > spread || high < -spread;
  }
}
