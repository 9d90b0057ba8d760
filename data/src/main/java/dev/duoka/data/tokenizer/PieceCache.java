package dev.duoka.data.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the ids of pieces that came up lately; shared by all threads without a lock.
 *
 * <p>Each piece has one slot, where the last writer wins. Entries are immutable, so a race costs a
 * miss and never gives a wrong answer.
 */
final class PieceCache {
  /** Longer pieces are rare and would fill memory. */
  static final int LONGEST_PIECE = 64;

  private static final int SLOTS = 1 << 16;

  private final @Nullable Entry[] entries = new @Nullable Entry[SLOTS];

  /** The ids of {@code text[start, end)}, or null. */
  int @Nullable [] find(char[] text, int start, int end, int hash) {
    Entry entry = entries[hash & (SLOTS - 1)];
    return entry != null
            && entry.hash == hash
            && Arrays.equals(entry.piece, 0, entry.piece.length, text, start, end)
        ? entry.ids
        : null;
  }

  void put(char[] text, int start, int end, int hash, int[] ids) {
    entries[hash & (SLOTS - 1)] = new Entry(hash, Arrays.copyOfRange(text, start, end), ids);
  }

  static int hash(char[] text, int start, int end) {
    int hash = 0;
    for (int i = start; i < end; i++) {
      hash = 31 * hash + text[i];
    }
    return hash ^ (hash >>> 16);
  }

  /** Final fields: safe to read from a thread that sees the reference by a race. */
  private static final class Entry {
    final int hash;
    final char[] piece;
    final int[] ids;

    Entry(int hash, char[] piece, int[] ids) {
      this.hash = hash;
      this.piece = piece;
      this.ids = ids;
    }
  }
}
