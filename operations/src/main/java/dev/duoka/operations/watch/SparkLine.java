package dev.duoka.operations.watch;

/** A series on one line of a terminal, by blocks of eight heights. */
final class SparkLine {
  private static final String BLOCKS = "▁▂▃▄▅▆▇█";
  private static final char NOT_A_NUMBER = '×';

  private SparkLine() {}

  /**
   * The whole series on at most {@code width} characters; {@code ×} where a value is no number.
   *
   * @param lowest whether each character is for the smallest value that it stands for, as where a
   *     dip is not to be missed, or for the largest, as where a spike is not
   */
  static String of(Series series, int width, boolean lowest) {
    if (series.isEmpty()) {
      return "";
    }
    long first = series.step(0);
    long last = series.step(series.size() - 1);
    int columns = (int) Math.min(width, last - first + 1);
    double[] kept = new double[columns];
    boolean[] bad = new boolean[columns];
    boolean[] there = new boolean[columns];
    double step = (last - first + 1.0) / columns;
    PixelColumns.show(
        series,
        first,
        last,
        columns,
        new PixelColumns.Sink() {
          @Override
          public void value(long at, double value) {
            int column = Math.min(columns - 1, (int) ((at - first) / step));
            if (!there[column] || (lowest ? value < kept[column] : value > kept[column])) {
              kept[column] = value;
            }
            there[column] = true;
          }

          @Override
          public void notANumber(long at, int count) {
            bad[Math.min(columns - 1, (int) ((at - first) / step))] = true;
          }
        });
    return line(kept, there, bad);
  }

  private static String line(double[] kept, boolean[] there, boolean[] bad) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < kept.length; i++) {
      if (there[i]) {
        low = Math.min(low, kept[i]);
        high = Math.max(high, kept[i]);
      }
    }
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < kept.length; i++) {
      if (bad[i]) {
        line.append(NOT_A_NUMBER);
      } else if (!there[i]) {
        line.append(' ');
      } else {
        double part = high > low ? (kept[i] - low) / (high - low) : 0;
        line.append(BLOCKS.charAt((int) Math.min(BLOCKS.length() - 1, part * BLOCKS.length())));
      }
    }
    return line.toString();
  }
}
