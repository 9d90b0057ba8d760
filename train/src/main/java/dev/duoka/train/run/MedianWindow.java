package dev.duoka.train.run;

import java.util.Arrays;

/** The median of the last so many values, at a cost that does not grow with their number. */
final class MedianWindow {
  private final double[] values;
  private long count;

  MedianWindow(int size) {
    values = new double[size];
  }

  void add(double value) {
    values[(int) (count % values.length)] = value;
    count++;
  }

  /** NaN while there is no value; of an even number the higher one in the middle. */
  double median() {
    double[] sorted = Arrays.copyOf(values, (int) Math.min(count, values.length));
    Arrays.sort(sorted);
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
  }
}
