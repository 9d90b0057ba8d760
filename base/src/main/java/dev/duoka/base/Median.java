package dev.duoka.base;

import java.util.Arrays;
import java.util.Collection;

/** The middle of some numbers. */
public final class Median {
  private Median() {}

  /** The one in the middle, or the mean of the two that are; NaN of none. */
  public static double of(Collection<Double> values) {
    return of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /** As the other method. */
  public static double of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
