package dev.duoka.operations.watch;

import java.util.Locale;
import java.util.regex.Pattern;

/** Text of others as it can be shown: nothing in it is obeyed, and secrets are left out. */
final class VisibleText {
  /** Where a secret follows its name, as in {@code HF_TOKEN=…} and {@code "password": "…"}. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)((?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|authorization)[\"']?"
              + "\\s*[=:]\\s*(?:bearer |basic )?[\"']?)[^\\s\"',;&]{4,}");

  /** User and password of an address, and what is a secret by its own look. */
  private static final Pattern KNOWN =
      Pattern.compile(
          "(?<=://)[^/\\s:@]+:[^/\\s@]+(?=@)|\\bhf_[A-Za-z0-9]{16,}|\\bsk-[A-Za-z0-9_-]{16,}"
              + "|\\bgh[pousr]_[A-Za-z0-9]{16,}|\\bAKIA[A-Z0-9]{16}\\b|(?i)(?<=bearer )\\S{8,}");

  private static final String HIDDEN = "•••";

  private VisibleText() {}

  /** As it is shown, with its line breaks and tabs. */
  static String of(String text) {
    String open = KNOWN.matcher(NAMED.matcher(text).replaceAll("$1" + HIDDEN)).replaceAll(HIDDEN);
    StringBuilder shown = new StringBuilder(open.length());
    open.codePoints().forEach(point -> append(point, shown));
    return shown.toString();
  }

  /** As {@link #of}, on one line. */
  static String line(String text) {
    return of(text).replace('\n', '␊').replace('\t', ' ');
  }

  private static void append(int point, StringBuilder shown) {
    if (point == '\n' || point == '\t') {
      shown.append((char) point);
    } else if (point < ' ') {
      shown.append((char) ('␀' + point)); // their pictures, in the same order
    } else if (point == 0x7f) {
      shown.append('␡');
    } else if (isObeyed(point)) {
      shown.append(String.format(Locale.ROOT, "\\u%04x", point));
    } else {
      shown.appendCodePoint(point);
    }
  }

  /** Controls of a terminal, and formats that turn the direction of what follows. */
  private static boolean isObeyed(int point) {
    int type = Character.getType(point);
    return type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR
        || type == Character.SURROGATE;
  }
}
