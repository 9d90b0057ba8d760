package dev.duoka.operations.watch;

import java.util.Arrays;

/**
 * One measure of a run over its steps, which rise. A value that is no number is kept as one: it is
 * NaN, and is shown. One thread.
 */
final class Series {
  private long[] steps = new long[64];
  private double[] values = new double[64];
  private int size;

  /**
   * Adds a value. A step that is not behind the last one replaces what was there from it on: the
   * run has gone back to a checkpoint.
   */
  void add(long step, double value) {
    if (size > 0 && step <= steps[size - 1]) {
      size = indexOf(step);
    }
    if (size == steps.length) {
      int larger = size + size / 2;
      steps = Arrays.copyOf(steps, larger);
      values = Arrays.copyOf(values, larger);
    }
    steps[size] = step;
    values[size] = Double.isFinite(value) ? value : Double.NaN;
    size++;
  }

  /** How many values there are. */
  int size() {
    return size;
  }

  /** Whether there are none. */
  boolean isEmpty() {
    return size == 0;
  }

  /** The step of a value. */
  long step(int index) {
    return steps[index];
  }

  /** A value; NaN for one that is no number. */
  double value(int index) {
    return values[index];
  }

  /** The value of the last step; NaN where there is none, or it is no number. */
  double last() {
    return size == 0 ? Double.NaN : values[size - 1];
  }

  /** The first value whose step is not before this one; the size where all are before it. */
  int indexOf(long step) {
    int found = Arrays.binarySearch(steps, 0, size, step);
    return found >= 0 ? found : -found - 1;
  }
}
