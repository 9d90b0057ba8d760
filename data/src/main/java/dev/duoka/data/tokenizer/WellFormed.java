package dev.duoka.data.tokenizer;

/** Makes Java strings well-formed Unicode. */
final class WellFormed {
  private WellFormed() {}

  /** The text itself, or a copy with U+FFFD for each surrogate that has no partner. */
  static String text(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (!pairAt(text, i)) {
          return repaired(text, i);
        }
        i++;
      }
    }
    return text;
  }

  private static String repaired(String text, int from) {
    StringBuilder out = new StringBuilder(text);
    for (int i = from; i < out.length(); i++) {
      if (Character.isSurrogate(out.charAt(i))) {
        if (pairAt(out, i)) {
          i++;
        } else {
          out.setCharAt(i, '\uFFFD');
        }
      }
    }
    return out.toString();
  }

  private static boolean pairAt(CharSequence text, int i) {
    return Character.isHighSurrogate(text.charAt(i))
        && i + 1 < text.length()
        && Character.isLowSurrogate(text.charAt(i + 1));
  }
}
