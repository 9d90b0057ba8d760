package dev.duoka.planner.report;

import java.util.Locale;

/** Numbers as reports print them. */
final class Numbers {
  static final double GIB = 1L << 30;

  private Numbers() {}

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency of its own
  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** For example {@code 6.910 B}. */
  static String parameters(double count) {
    return count >= 1e9 ? format("%.3f B", count / 1e9) : format("%.1f M", count / 1e6);
  }

  /** For example {@code 39,000}. */
  static String whole(double value) {
    return format("%,d", Math.round(value));
  }

  /** For example {@code 26.9 s}, {@code 4.2 h}, {@code 12 days}. */
  static String duration(double seconds) {
    if (seconds < 0.1) {
      return format("%.1f ms", seconds * 1e3);
    }
    if (seconds < 600) {
      return format(seconds < 10 ? "%.2f s" : "%.1f s", seconds);
    }
    if (seconds < 3 * 3600) {
      return format("%.1f min", seconds / 60);
    }
    return seconds < 3 * 86400
        ? format("%.1f h", seconds / 3600)
        : format(seconds < 100 * 86400 ? "%.1f days" : "%,.0f days", seconds / 86400);
  }

  /** A value rounded to four significant digits, for JSON. */
  static double rounded(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return value;
    }
    double scale = Math.pow(10, 5 - Math.ceil(Math.log10(Math.abs(value))));
    return Math.round(value * scale) / scale;
  }
}
