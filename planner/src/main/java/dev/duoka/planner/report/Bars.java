package dev.duoka.planner.report;

import dev.duoka.planner.figure.Figure;
import java.util.Map;

/** Bars of characters. */
final class Bars {
  private static final int WIDTH = 60;

  private Bars() {}

  /**
   * Memory as one bar: each owner's first letter as often as its share, dots for what stays free.
   */
  static String stacked(Map<? extends Enum<?>, Figure> figures, double whole) {
    StringBuilder bar = new StringBuilder("[");
    double sum = 0;
    for (Map.Entry<? extends Enum<?>, Figure> entry : figures.entrySet()) {
      sum += entry.getValue().value();
      int end = (int) Math.round(Math.min(1, sum / whole) * WIDTH);
      while (bar.length() - 1 < end) {
        bar.append(entry.getKey().name().charAt(0));
      }
    }
    while (bar.length() - 1 < WIDTH) {
      bar.append('.');
    }
    return bar.append(']').toString();
  }

  /** A bar for a share of a whole. */
  static String share(double share) {
    int length = (int) Math.round(30 * Math.clamp(share, 0, 1));
    return "█".repeat(length);
  }
}
