package dev.duoka.data.tokenizer;

/**
 * An incremental UTF-8 decoder that writes U+FFFD for what is no UTF-8.
 *
 * <p>Each maximal part of a broken sequence becomes one U+FFFD (Unicode 16, section 3.9, "U+FFFD
 * substitution of maximal subparts"), as Rust and web browsers do it; Java's own decoder differs
 * for encoded surrogates.
 */
final class Utf8Decoder {
  private static final char REPLACEMENT = '\uFFFD';

  private int codePoint;
  private int missing;
  private int lowest = 0x80;
  private int highest = 0xBF;

  /** Reads one byte and appends the characters that it completes. */
  void add(byte signed, StringBuilder out) {
    int octet = signed & 0xFF;
    if (missing > 0) {
      if (octet >= lowest && octet <= highest) {
        codePoint = (codePoint << 6) | (octet & 0x3F);
        lowest = 0x80;
        highest = 0xBF;
        if (--missing == 0) {
          out.appendCodePoint(codePoint);
        }
        return;
      }
      finish(out);
    }
    if (octet < 0x80) {
      out.append((char) octet);
    } else if (octet >= 0xC2 && octet <= 0xDF) {
      begin(octet & 0x1F, 1, 0x80, 0xBF);
    } else if (octet >= 0xE0 && octet <= 0xEF) {
      begin(octet & 0x0F, 2, octet == 0xE0 ? 0xA0 : 0x80, octet == 0xED ? 0x9F : 0xBF);
    } else if (octet >= 0xF0 && octet <= 0xF4) {
      begin(octet & 0x07, 3, octet == 0xF0 ? 0x90 : 0x80, octet == 0xF4 ? 0x8F : 0xBF);
    } else {
      out.append(REPLACEMENT);
    }
  }

  void add(byte[] bytes, StringBuilder out) {
    for (byte one : bytes) {
      add(one, out);
    }
  }

  /** Ends the text: an incomplete sequence becomes U+FFFD. */
  void finish(StringBuilder out) {
    if (missing > 0) {
      out.append(REPLACEMENT);
    }
    missing = 0;
    lowest = 0x80;
    highest = 0xBF;
  }

  private void begin(int bits, int following, int lowestNext, int highestNext) {
    codePoint = bits;
    missing = following;
    lowest = lowestNext;
    highest = highestNext;
  }
}
