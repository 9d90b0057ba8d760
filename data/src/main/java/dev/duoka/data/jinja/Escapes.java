package dev.duoka.data.jinja;

/** What a backslash stands for in a string, as in Python. */
final class Escapes {
  private Escapes() {}

  /**
   * Adds what is meant to {@code out}.
   *
   * @param at where the character behind the backslash is
   * @return where the string goes on
   */
  static int read(String source, int at, StringBuilder out, Place place) {
    char c = source.charAt(at);
    switch (c) {
      case '\n' -> {}
      case 'n' -> out.append('\n');
      case 't' -> out.append('\t');
      case 'r' -> out.append('\r');
      case 'a' -> out.append('\u0007');
      case 'b' -> out.append('\b');
      case 'f' -> out.append('\f');
      case 'v' -> out.append('\u000B');
      case '\\', '\'', '"' -> out.append(c);
      case 'x' -> {
        return code(source, at + 1, 2, out, place);
      }
      case 'u' -> {
        return code(source, at + 1, 4, out, place);
      }
      case 'U' -> {
        return code(source, at + 1, 8, out, place);
      }
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        int end = at;
        int value = 0;
        while (end < Math.min(at + 3, source.length())
            && source.charAt(end) >= '0'
            && source.charAt(end) <= '7') {
          value = value * 8 + source.charAt(end) - '0';
          end++;
        }
        out.appendCodePoint(value);
        return end;
      }
      default -> out.append('\\').append(c);
    }
    return at + 1;
  }

  private static int code(String source, int from, int digits, StringBuilder out, Place place) {
    int value = 0;
    for (int i = from; i < from + digits; i++) {
      int digit = i < source.length() ? Character.digit(source.charAt(i), 16) : -1;
      if (digit < 0 || value > Character.MAX_CODE_POINT) {
        throw new Fault(place, "an escape needs " + digits + " hexadecimal digits");
      }
      value = value * 16 + digit;
    }
    if (!Character.isValidCodePoint(value)) {
      throw new Fault(place, "an escape is beyond the last character of Unicode");
    }
    out.appendCodePoint(value);
    return from + digits;
  }
}
