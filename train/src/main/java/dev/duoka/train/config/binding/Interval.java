package dev.duoka.train.config.binding;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An interval of numbers in the notation of {@link Doc#range}. */
record Interval(String text, double low, boolean lowOpen, double high, boolean highOpen) {
  private static final Pattern NOTATION = Pattern.compile("([\\[(])([^,]+), ([^,]+)([])])");

  /** Reads {@code [0, 1)} and its like; {@code inf} stands for infinity. */
  static Interval parse(String text) {
    Matcher matcher = NOTATION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not an interval: " + text);
    }
    return new Interval(
        text,
        Double.parseDouble(matcher.group(2)),
        matcher.group(1).equals("("),
        matcher.group(3).equals("inf")
            ? Double.POSITIVE_INFINITY
            : Double.parseDouble(matcher.group(3)),
        matcher.group(4).equals(")"));
  }

  boolean contains(double value) {
    return (lowOpen ? value > low : value >= low) && (highOpen ? value < high : value <= high);
  }

  /** For a message or the documentation, for example {@code at least 0}. */
  String words() {
    if (high == Double.POSITIVE_INFINITY) {
      return (lowOpen ? "above " : "at least ") + number(low);
    }
    if (lowOpen || highOpen) {
      return "in " + text;
    }
    return "from " + number(low) + " to " + number(high);
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e18
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
