package dev.duoka.machine.probe;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Turns the text of a field into a value, or into the reason why there is none. */
final class FieldText {
  private static final Pattern NUMBER =
      Pattern.compile("\\s*([-+]?\\d{1,18}(?:\\.\\d{1,9})?)\\s*([A-Za-z%/]*).*", Pattern.DOTALL);

  /** Words that tools print in the place of a value. */
  private static final Pattern NO_VALUE =
      Pattern.compile(
          "\\[?\\s*(n/?a|not (supported|available|found|applicable)|unknown( error)?|none reported"
              + "|err!?|error|insufficient permissions?|gpu requires reset|gpu is lost"
              + "|requested functionality has been deprecated|function not found"
              + "|pending|no data|-+|\\?+)\\s*\\]?\\s*",
          Pattern.CASE_INSENSITIVE);

  private FieldText() {}

  /** Whether the text says that there is no value. */
  static boolean isMissing(String text) {
    return text.isBlank() || NO_VALUE.matcher(text).matches();
  }

  static Reading<String> text(String text) {
    return isMissing(text) ? missing(text) : Reading.of(text.strip());
  }

  static Reading<Double> number(String text) {
    Matcher matcher = NUMBER.matcher(text);
    return isMissing(text) || !matcher.matches()
        ? missing(text)
        : Reading.of(Double.parseDouble(matcher.group(1)));
  }

  static Reading<Long> whole(String text) {
    return number(text).map(Double::longValue);
  }

  static Reading<Integer> small(String text) {
    return number(text).map(value -> (int) Math.max(-1_000_000, Math.min(1_000_000_000, value)));
  }

  /** A number of bytes; without a unit it counts MiB, as nvidia-smi's {@code nounits} does. */
  static Reading<Long> bytes(String text) {
    Matcher matcher = NUMBER.matcher(text);
    if (isMissing(text) || !matcher.matches()) {
      return missing(text);
    }
    double value = Double.parseDouble(matcher.group(1));
    double unit =
        switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
          case "b", "bytes" -> 1;
          case "k", "kb", "kib" -> 1 << 10;
          case "g", "gb", "gib" -> 1 << 30;
          case "t", "tb", "tib" -> 1L << 40;
          default -> 1 << 20;
        };
    return Reading.of((long) (value * unit));
  }

  static Reading<Boolean> flag(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "enabled", "yes", "active", "on", "true", "1" -> Reading.of(true);
      case "disabled", "no", "not active", "off", "false", "0" -> Reading.of(false);
      default -> missing(text);
    };
  }

  private static <T> Reading<T> missing(String text) {
    return Reading.unknown(
        text.isBlank() ? "the source leaves it empty" : "the source says '" + shorten(text) + "'");
  }

  static String shorten(String text) {
    String line = text.strip().replaceAll("\\p{Cntrl}+", " ");
    return line.length() <= 80 ? line : line.substring(0, 80) + "…";
  }
}
