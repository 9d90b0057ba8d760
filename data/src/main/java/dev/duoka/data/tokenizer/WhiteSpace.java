package dev.duoka.data.tokenizer;

/** The Unicode property White_Space; all its characters are in the Basic Multilingual Plane. */
final class WhiteSpace {
  private WhiteSpace() {}

  static boolean is(char c) {
    return c == ' '
        || (c >= '\t' && c <= '\r')
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200A)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }
}
