package dev.duoka.base;

import java.util.Locale;

/** Prints spans of time. */
public final class TimeSpan {
  private TimeSpan() {}

  /** For example {@code 4:07}, and {@code 2:30 h} from an hour on. */
  public static String text(double seconds) {
    long whole = Math.round(seconds);
    return whole >= 3600
        ? String.format(Locale.ROOT, "%d:%02d h", whole / 3600, whole % 3600 / 60)
        : String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
  }
}
