package dev.duoka.operations.watch;

import java.nio.DoubleBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * One measure of a run over its steps, which rise. A value that is no number is kept as one: it is
 * NaN, and is shown. The older part may lie in a {@link ColumnFile}, and takes no heap. One thread.
 */
final class Series {
  private LongBuffer oldSteps = LongBuffer.allocate(0);
  private DoubleBuffer oldValues = DoubleBuffer.allocate(0);
  private int old;
  private long[] steps = new long[16];
  private double[] values = new double[16];
  private int size;

  /** The smallest, the largest and what is no number among some values, by their indices. */
  static final class Extremes {
    int smallest;
    int largest;
    int firstBad;
    int bad;
  }

  /**
   * Adds a value. A step that is not behind the last one replaces what was there from it on: the
   * run has gone back to a checkpoint.
   */
  void add(long step, double value) {
    if (size > 0 && step <= step(size - 1)) {
      size = indexOf(step);
      old = Math.min(old, size);
    }
    int at = size - old;
    if (at == steps.length) {
      int larger = at + at / 2;
      steps = Arrays.copyOf(steps, larger);
      values = Arrays.copyOf(values, larger);
    }
    steps[at] = step;
    values[at] = Double.isFinite(value) ? value : Double.NaN;
    size++;
  }

  /** Takes over what a file has of this series, in place of all that it had. */
  void take(LongBuffer fileSteps, DoubleBuffer fileValues) {
    oldSteps = fileSteps;
    oldValues = fileValues;
    old = fileSteps.limit();
    size = old;
    steps = new long[16];
    values = new double[16];
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
    return index < old ? oldSteps.get(index) : steps[index - old];
  }

  /** A value; NaN for one that is no number. */
  double value(int index) {
    return index < old ? oldValues.get(index) : values[index - old];
  }

  /** The value of the last step; NaN where there is none, or it is no number. */
  double last() {
    return size == 0 ? Double.NaN : value(size - 1);
  }

  /** The first value whose step is not before this one; the size where all are before it. */
  int indexOf(long step) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (step(middle) < step) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The extremes of the values from {@code begin} to {@code end}, that one left out. */
  void extremes(int begin, int end, Extremes found) {
    int smallest = -1;
    int largest = -1;
    int firstBad = -1;
    int bad = 0;
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = begin; i < end; i++) {
      double value = value(i);
      if (value < least) {
        least = value;
        smallest = i;
      }
      if (value > most) {
        most = value;
        largest = i;
      }
      if (Double.isNaN(value)) {
        firstBad = firstBad < 0 ? i : firstBad;
        bad++;
      }
    }
    found.smallest = smallest;
    found.largest = largest;
    found.firstBad = firstBad;
    found.bad = bad;
  }
}
