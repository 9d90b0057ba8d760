package dev.duoka.base;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Prints and reads byte counts in binary units. */
public final class ByteSize {
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

  private static final Pattern SYNTAX = Pattern.compile("(\\d{1,6})(B|KiB|MiB|GiB)");

  private ByteSize() {}

  /** Reads a whole number of a unit, for example {@code 16MiB}; empty where the text is none. */
  public static OptionalLong parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      return OptionalLong.empty();
    }
    int unit = List.of(UNITS).indexOf(matcher.group(2));
    return OptionalLong.of(Long.parseLong(matcher.group(1)) << (10 * unit));
  }

  /** For example {@code 1.50 GiB}; whole bytes below 1 KiB. */
  public static String text(long bytes) {
    if (Math.abs(bytes) < 1024) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = 0;
    while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.2f %s", value, UNITS[unit]);
  }
}
