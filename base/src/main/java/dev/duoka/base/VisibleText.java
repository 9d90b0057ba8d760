package dev.duoka.base;

/** Text from elsewhere as a terminal may show it: what would be obeyed is shown instead. */
public final class VisibleText {
  private VisibleText() {}

  /**
   * The text with a sign for each control character: {@code ↵} and a line break for a line feed,
   * {@code →} for a tab, the pictures of Unicode for the others below U+0020, and {@code ⟨U+202E⟩}
   * for what has no picture (C1, directions, halves of pairs, characters without width).
   */
  public static String of(String text) {
    return of(text, "↵\n", "→");
  }

  /** As {@link #of}, with line feeds and tabs as they are: a log, say. */
  public static String withLayout(String text) {
    return of(text, "\n", "\t");
  }

  private static String of(String text, String lineFeed, String tab) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append(lineFeed);
                case '\t' -> out.append(tab);
                case 0x7F -> out.append('␡');
                default -> {
                  if (c < ' ') {
                    out.append((char) (0x2400 + c));
                  } else if (isHidden(c)) {
                    out.append("⟨U+%04X⟩".formatted(c));
                  } else {
                    out.appendCodePoint(c);
                  }
                }
              }
            });
    return out.toString();
  }

  private static boolean isHidden(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
