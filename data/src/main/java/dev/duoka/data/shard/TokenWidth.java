package dev.duoka.data.shard;

import java.util.Locale;

/** How a token id is stored. */
enum TokenWidth {
  UINT16(2),
  INT32(4);

  private final int bytes;

  TokenWidth(int bytes) {
    this.bytes = bytes;
  }

  /** The narrowest that holds every id of a vocabulary. */
  static TokenWidth of(int vocabularySize) {
    return vocabularySize <= 1 << 16 ? UINT16 : INT32;
  }

  int bytes() {
    return bytes;
  }

  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
