package dev.duoka.data.batch;

import dev.duoka.data.shard.TokenShards;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One sequence while it is put together: {@code length + 1} tokens and what is known of each. */
final class Window {
  final int[] tokens;
  final boolean[] begins;
  final boolean[] learned;
  final List<Sample.Part> parts = new ArrayList<>();

  /** What the reference model makes of a sequence of a pair. */
  double reference;

  private int filled;

  Window(int length) {
    this.tokens = new int[length + 1];
    this.begins = new boolean[length + 1];
    this.learned = new boolean[length + 1];
  }

  void clear() {
    filled = 0;
    reference = 0;
    parts.clear();
    Arrays.fill(begins, false);
  }

  int room() {
    return tokens.length - filled;
  }

  /** Adds tokens of one document from {@code offset} on; the count added comes back. */
  int add(TokenShards shards, long document, long offset, int most) {
    long left = shards.documentLength(document) - offset;
    int count = (int) Math.min(left, Math.min(most, room()));
    long from = shards.documentStart(document) + offset;
    shards.copyTokens(from, tokens, filled, count);
    shards.copyLossMask(from, learned, filled, count);
    begins[filled] = offset == 0;
    parts.add(new Sample.Part(filled, count, offset, shards.documentLength(document)));
    filled += count;
    return count;
  }

  /** Fills the rest with a token that is never a target. */
  void pad(int token) {
    if (room() > 0) {
      Arrays.fill(tokens, filled, tokens.length, token);
      Arrays.fill(learned, filled, tokens.length, false);
      begins[filled] = true;
      filled = tokens.length;
    }
  }

  /** Whether the loss may ask for a token: it continues a document and its mask bit is set. */
  boolean isTarget(int index) {
    return learned[index] && !begins[index];
  }

  int realTargets() {
    int count = 0;
    for (int i = 1; i < tokens.length; i++) {
      count += isTarget(i) ? 1 : 0;
    }
    return count;
  }
}
