package dev.duoka.machine.topology;

import java.util.Locale;

/**
 * What a connection should carry.
 *
 * @param low GB/s (10^9 bytes) in each direction, at least
 * @param high at most; equal to {@code low} where one figure is known
 * @param assumed whether part of it is an assumption rather than the product's own figure
 * @param basis what it rests on, one clause
 */
public record Bandwidth(double low, double high, boolean assumed, String basis) {
  /** For example {@code 300} or {@code 24–28}, in GB/s each way. */
  public String text() {
    String from = number(low);
    String to = number(high);
    return from.equals(to) ? from : from + "–" + to;
  }

  private static String number(double value) {
    return value >= 20
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.1f", value).replace(".0", "");
  }
}
