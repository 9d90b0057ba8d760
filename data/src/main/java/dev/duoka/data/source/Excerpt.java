package dev.duoka.data.source;

import java.util.Locale;

/** The beginning of a text, fit to be shown in one line of a message. */
public final class Excerpt {
  private static final int MOST = 60;

  private Excerpt() {}

  /** At most 60 characters, in which line ends and control characters are written out. */
  public static String of(String text) {
    StringBuilder shown = new StringBuilder();
    int[] points = text.codePoints().limit(MOST + 1L).toArray();
    for (int i = 0; i < Math.min(points.length, MOST); i++) {
      append(points[i], shown);
    }
    return points.length > MOST ? shown + "…" : shown.toString();
  }

  private static void append(int point, StringBuilder shown) {
    switch (point) {
      case '\n' -> shown.append("\\n");
      case '\r' -> shown.append("\\r");
      case '\t' -> shown.append("\\t");
      default -> {
        if (isHidden(point)) {
          shown.append(String.format(Locale.ROOT, "\\u%04x", point));
        } else {
          shown.appendCodePoint(point);
        }
      }
    }
  }

  /** What a terminal obeys or does not show: controls, marks of direction, lone surrogates. */
  private static boolean isHidden(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.UNASSIGNED ->
          true;
      default -> false;
    };
  }
}
