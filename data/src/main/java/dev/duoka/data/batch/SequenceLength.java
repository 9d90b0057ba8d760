package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** Checks the length of sequences. */
final class SequenceLength {
  private static final int LONGEST = 1 << 24;

  private SequenceLength() {}

  static void check(int length) {
    if (length < 1 || length > LONGEST) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "a sequence length of " + length + " cannot be",
          "Choose 1 to " + LONGEST + " tokens, for example 4096.");
    }
  }
}
