package dev.duoka.formats;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Damages bytes the way broken copies and careless edits do. */
public final class Mutator {
  private static final String[] TOKENS = {
    "null",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "9223372036854775807",
    "[]",
    "{}",
    "\"\"",
    "true",
    "\\u0000",
    "[[[[",
    "\"F8_E4M3\"",
    "2147483647"
  };

  private final RandomGenerator random;

  public Mutator(RandomGenerator random) {
    this.random = random;
  }

  /** A copy with one to four damages. */
  public byte[] mutate(byte[] original) {
    byte[] bytes = original.clone();
    int damages = random.nextInt(1, 5);
    for (int i = 0; i < damages && bytes.length > 0; i++) {
      int at = random.nextInt(bytes.length);
      bytes =
          switch (random.nextInt(6)) {
            case 0 -> flipped(bytes, at);
            case 1 -> Arrays.copyOf(bytes, at);
            case 2 -> spliced(bytes, at, Math.min(bytes.length, at + random.nextInt(9)), "");
            case 3 -> spliced(bytes, at, at, TOKENS[random.nextInt(TOKENS.length)]);
            case 4 -> digitChanged(bytes, at);
            default -> valueReplaced(bytes, at);
          };
    }
    return bytes;
  }

  private byte[] flipped(byte[] bytes, int at) {
    bytes[at] ^= (byte) (1 << random.nextInt(8));
    return bytes;
  }

  private byte[] digitChanged(byte[] bytes, int at) {
    for (int i = at; i < bytes.length; i++) {
      if (bytes[i] >= '0' && bytes[i] <= '9') {
        bytes[i] = (byte) ('0' + random.nextInt(10));
        break;
      }
    }
    return bytes;
  }

  /** Replaces what stands between the next colon and the next comma. */
  private byte[] valueReplaced(byte[] bytes, int at) {
    int colon = at;
    while (colon < bytes.length && bytes[colon] != ':') {
      colon++;
    }
    int comma = colon;
    while (comma < bytes.length && bytes[comma] != ',') {
      comma++;
    }
    return colon == bytes.length
        ? bytes
        : spliced(bytes, colon + 1, comma, TOKENS[random.nextInt(TOKENS.length)]);
  }

  private static byte[] spliced(byte[] bytes, int from, int to, String insert) {
    byte[] text = insert.getBytes(StandardCharsets.UTF_8);
    byte[] result = new byte[bytes.length - (to - from) + text.length];
    System.arraycopy(bytes, 0, result, 0, from);
    System.arraycopy(text, 0, result, from, text.length);
    System.arraycopy(bytes, to, result, from + text.length, bytes.length - to);
    return result;
  }
}
