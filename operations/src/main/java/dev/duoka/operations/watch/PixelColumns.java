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
    Series.Extremes extremes = new Series.Extremes();
    int index = begin;
    while (index < end) {
      int next =
          Math.min(end, Math.max(index + 1, series.indexOf(behind(series, index, from, width))));
      column(series, index, next, extremes, sink);
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

  /** The first step that lies in a column behind that of a value. */
  private static long behind(Series series, int index, long from, double width) {
    long column = (long) ((series.step(index) - from) / width);
    double edge = Math.ceil((column + 1) * width);
    if (edge >= Long.MAX_VALUE - from - 1.0) {
      return Long.MAX_VALUE;
    }
    long step = from + (long) edge;
    while ((long) ((step - 1 - from) / width) > column) {
      step--; // the edge was rounded up
    }
    while ((long) ((step - from) / width) <= column) {
      step++;
    }
    return step;
  }

  private static void column(Series series, int begin, int end, Series.Extremes found, Sink sink) {
    series.extremes(begin, end, found);
    if (found.smallest >= 0) {
      one(series, Math.min(found.smallest, found.largest), sink);
      if (found.smallest != found.largest) {
        one(series, Math.max(found.smallest, found.largest), sink);
      }
    }
    if (found.bad > 0) {
      sink.notANumber(series.step(found.firstBad), found.bad);
    }
  }
}
