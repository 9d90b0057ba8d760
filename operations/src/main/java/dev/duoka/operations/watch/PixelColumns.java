package dev.duoka.operations.watch;

/**
 * A series as a chart of so many pixels can show it, with nothing hidden: of each column of pixels
 * the smallest and the largest value, at their own steps, and the first step whose value is no
 * number.
 */
final class PixelColumns {
  /** What is shown of a series, from the left to the right. */
  interface Sink {
    /** A value. */
    void value(long step, double value);

    /**
     * Values of a column that are no numbers.
     *
     * @param step the first of them
     * @param count how many there are
     */
    void notANumber(long step, int count);
  }

  private PixelColumns() {}

  /**
   * Shows the steps {@code from} to {@code to}, both among them, on {@code columns} columns. The
   * last value before and the first one after are shown too, so that lines go on to the edges.
   */
  static void show(Series series, long from, long to, int columns, Sink sink) {
    if (series.isEmpty() || to < from) {
      return;
    }
    int begin = series.indexOf(from);
    int end = series.indexOf(to);
    if (end < series.size() && series.step(end) == to) {
      end++;
    }
    if (begin > 0) {
      one(series, begin - 1, sink);
    }
    double width = ((double) to - from + 1) / columns;
    int index = begin;
    while (index < end) {
      long column = (long) ((series.step(index) - from) / width);
      int next = index + 1;
      while (next < end && (long) ((series.step(next) - from) / width) == column) {
        next++;
      }
      column(series, index, next, sink);
      index = next;
    }
    if (end < series.size()) {
      one(series, end, sink);
    }
  }

  private static void one(Series series, int index, Sink sink) {
    if (Double.isNaN(series.value(index))) {
      sink.notANumber(series.step(index), 1);
    } else {
      sink.value(series.step(index), series.value(index));
    }
  }

  private static void column(Series series, int begin, int end, Sink sink) {
    int smallest = -1;
    int largest = -1;
    int firstBad = -1;
    int bad = 0;
    for (int i = begin; i < end; i++) {
      double value = series.value(i);
      if (Double.isNaN(value)) {
        firstBad = firstBad < 0 ? i : firstBad;
        bad++;
        continue;
      }
      if (smallest < 0 || value < series.value(smallest)) {
        smallest = i;
      }
      if (largest < 0 || value > series.value(largest)) {
        largest = i;
      }
    }
    if (smallest >= 0) {
      one(series, Math.min(smallest, largest), sink);
      if (smallest != largest) {
        one(series, Math.max(smallest, largest), sink);
      }
    }
    if (bad > 0) {
      sink.notANumber(series.step(firstBad), bad);
    }
  }
}
