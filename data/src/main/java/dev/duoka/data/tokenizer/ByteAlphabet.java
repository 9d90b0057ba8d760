package dev.duoka.data.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The letters with which byte-level BPE writes bytes, so that every token is printable text.
 *
 * <p>Printable Latin-1 characters stand for themselves, the other 68 bytes are U+0100 and on, in
 * order (GPT-2's {@code bytes_to_unicode}). A space is {@code Ġ}, a line feed {@code Ċ}.
 */
final class ByteAlphabet {
  private static final char[] LETTERS = new char[256];
  private static final short[] BYTES = new short[256 + 68];

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = 256;
    for (int octet = 0; octet < 256; octet++) {
      boolean printable = (octet >= '!' && octet <= '~') || (octet >= 0xA1 && octet != 0xAD);
      LETTERS[octet] = printable ? (char) octet : next++;
      BYTES[LETTERS[octet]] = (short) octet;
    }
  }

  private ByteAlphabet() {}

  /** The letter of a byte, 0 to 255. */
  static String letter(int octet) {
    return String.valueOf(LETTERS[octet]);
  }

  /** The pieces with every byte of their UTF-8 form as one letter. */
  static Pieces map(Pieces pieces) {
    String text = pieces.text();
    char[] letters = new char[text.length() + 64];
    int size = 0;
    IntList bounds = new IntList(2 * pieces.count());
    for (int piece = 0; piece < pieces.count(); piece++) {
      bounds.add(size);
      int end = pieces.end(piece);
      for (int i = pieces.start(piece); i < end; ) {
        if (size + 4 > letters.length) {
          letters = Arrays.copyOf(letters, letters.length + letters.length / 2);
        }
        char c = text.charAt(i);
        if (c < 0x80) {
          letters[size++] = LETTERS[c];
          i++;
        } else {
          int codePoint = text.codePointAt(i);
          size = put(codePoint, letters, size);
          i += Character.charCount(codePoint);
        }
      }
      bounds.add(size);
    }
    return new Pieces(new String(letters, 0, size), pieces.atStart(), bounds);
  }

  /** The bytes that a token stands for; a token with other letters is its own UTF-8 form. */
  static byte[] bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char letter = token.charAt(i);
      if (letter >= BYTES.length || BYTES[letter] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTES[letter];
    }
    return bytes;
  }

  private static int put(int codePoint, char[] letters, int at) {
    int size = at;
    if (codePoint < 0x800) {
      letters[size++] = LETTERS[0xC0 | (codePoint >> 6)];
    } else if (codePoint < 0x10000) {
      letters[size++] = LETTERS[0xE0 | (codePoint >> 12)];
      letters[size++] = LETTERS[0x80 | ((codePoint >> 6) & 0x3F)];
    } else {
      letters[size++] = LETTERS[0xF0 | (codePoint >> 18)];
      letters[size++] = LETTERS[0x80 | ((codePoint >> 12) & 0x3F)];
      letters[size++] = LETTERS[0x80 | ((codePoint >> 6) & 0x3F)];
    }
    letters[size++] = LETTERS[0x80 | (codePoint & 0x3F)];
    return size;
  }
}
