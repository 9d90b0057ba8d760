package dev.duoka.base;

import java.util.Locale;

/** Prints shares of one as percent. */
public final class Percent {
  private Percent() {}

  /** For example {@code 94.8 %} of 0.948. */
  public static String text(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  /** For example {@code 95 %} of 0.948. */
  public static String whole(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }
}
