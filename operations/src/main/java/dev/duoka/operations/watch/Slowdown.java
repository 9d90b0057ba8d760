package dev.duoka.operations.watch;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Steps that have come to take longer than the run's own before them.
 *
 * @param step since when, as far as windows of steps tell
 * @param ratio how many times as long they take
 */
record Slowdown(long step, double ratio) {
  private static final int WINDOW = 20;
  private static final int MOST_WINDOWS = 200;

  /** Windows that must be slow, so that one slow save or a busy minute is none. */
  private static final int SLOW_WINDOWS = 2;

  private static final double SLOWER = 1.15;

  /** Looks at the last steps of a series of seconds. */
  static Optional<Slowdown> of(@Nullable Series seconds) {
    int windows = seconds == null ? 0 : Math.min(MOST_WINDOWS, seconds.size() / WINDOW);
    if (seconds == null || windows <= SLOW_WINDOWS) {
      return Optional.empty();
    }
    int begin = seconds.size() - windows * WINDOW;
    double[] medians = new double[windows];
    for (int i = 0; i < windows; i++) {
      medians[i] = median(seconds, begin + i * WINDOW);
    }
    // Not the fastest window, which may be a lucky one: half of them are as fast as this.
    int first = windows;
    double usual = Double.NaN;
    for (int slow = SLOW_WINDOWS; slow < windows; slow++) {
      double before = middle(Arrays.copyOf(medians, windows - slow));
      if (medians[windows - slow] <= SLOWER * before) {
        break;
      }
      first = windows - slow;
      usual = before;
    }
    boolean lastIsSlow = first < windows && medians[windows - 1] > SLOWER * usual;
    return lastIsSlow
        ? Optional.of(
            new Slowdown(
                seconds.step(begin + first * WINDOW),
                middle(Arrays.copyOfRange(medians, first, windows)) / usual))
        : Optional.empty();
  }

  private static double median(Series seconds, int begin) {
    double[] values = new double[WINDOW];
    for (int i = 0; i < WINDOW; i++) {
      values[i] = seconds.value(begin + i);
    }
    return middle(values);
  }

  private static double middle(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
