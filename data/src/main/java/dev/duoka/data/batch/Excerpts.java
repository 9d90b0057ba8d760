package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenShards;
import java.util.Arrays;

/**
 * What training sees of each document: all of it where it fits into a window, otherwise one
 * stretch; and nothing of a document without a token to learn.
 *
 * <p><b>Which stretch of a long one.</b> The one that ends with the last token to learn, so that
 * the last answer of a chat is learned however long the talk before it is. If that stretch would
 * begin inside an answer, whose question is then out of sight, the beginning of the document is
 * taken instead, if that has something to learn. (For comparison: TRL's {@code SFTTrainer} keeps
 * the beginning, which leaves nothing to learn behind a long prompt, and Axolotl drops what is too
 * long.)
 */
final class Excerpts {
  private static final int CHUNK = 1 << 16;

  private final TokenShards shards;
  private final int capacity;
  private final boolean[] learned;
  private int[] documents;
  private long[] offsets;
  private int[] lengths;
  private int count;
  private long cut;
  private long cutTokens;
  private long longest;
  private long withoutTargets;

  private Excerpts(TokenShards shards, int capacity, int most) {
    this.shards = shards;
    this.capacity = capacity;
    this.learned = new boolean[Math.max(CHUNK, capacity)];
    this.documents = new int[most];
    this.offsets = new long[most];
    this.lengths = new int[most];
  }

  static Excerpts of(DocumentSubset subset, int capacity) {
    TokenShards shards = subset.shards();
    if (shards.documents() > Integer.MAX_VALUE - 8) {
      throw new DuokaException(
          ErrorCode.DATA,
          shards.documents() + " documents are more than can be kept whole",
          "Split the data, or train on it as a stream of text.");
    }
    Excerpts excerpts = new Excerpts(shards, capacity, (int) subset.documents());
    for (int document = 0; document < shards.documents(); document++) {
      if (subset.contains(document)) {
        excerpts.add(document);
      }
    }
    excerpts.documents = Arrays.copyOf(excerpts.documents, excerpts.count);
    excerpts.offsets = Arrays.copyOf(excerpts.offsets, excerpts.count);
    excerpts.lengths = Arrays.copyOf(excerpts.lengths, excerpts.count);
    return excerpts;
  }

  /** How many there are. */
  int count() {
    return count;
  }

  /** How long each is, at most the capacity; the array itself, not a copy. */
  int[] lengths() {
    return lengths;
  }

  /** How many documents were longer than the capacity. */
  long cut() {
    return cut;
  }

  /** How many tokens they have beyond it. */
  long cutTokens() {
    return cutTokens;
  }

  /** Tokens of the longest document. */
  long longest() {
    return longest;
  }

  /** How many documents were left out because they have nothing to learn. */
  long withoutTargets() {
    return withoutTargets;
  }

  /** Adds one to a window. */
  void read(int index, Window into) {
    into.add(shards, documents[index], offsets[index], lengths[index]);
  }

  private void add(int document) {
    long length = shards.documentLength(document);
    long last = shards.hasLossMask() ? lastLearned(document, length) : length - 1;
    longest = Math.max(longest, length);
    // The first token of a document follows nothing, so it is never a target.
    if (last < 1) {
      withoutTargets++;
      return;
    }
    documents[count] = document;
    offsets[count] = length <= capacity ? 0 : offset(document, last);
    lengths[count] = (int) Math.min(length, capacity);
    cut += length > capacity ? 1 : 0;
    cutTokens += Math.max(0, length - capacity);
    count++;
  }

  /** Where the stretch of a long document begins. */
  private long offset(int document, long last) {
    long untilLast = Math.max(0, last + 1 - capacity);
    if (!shards.hasLossMask() || untilLast == 0) {
      return 0;
    }
    long start = shards.documentStart(document);
    boolean onlyAnswer = learned(start + untilLast, capacity) == capacity;
    return onlyAnswer && learned(start + 1, capacity - 1) > 0 ? 0 : untilLast;
  }

  private int learned(long from, int tokens) {
    shards.copyLossMask(from, learned, 0, tokens);
    int count = 0;
    for (int i = 0; i < tokens; i++) {
      count += learned[i] ? 1 : 0;
    }
    return count;
  }

  /** The last token of a document that its loss mask has; −1 if it has none. */
  private long lastLearned(int document, long length) {
    long start = shards.documentStart(document);
    for (long end = length; end > 0; ) {
      int tokens = (int) Math.min(CHUNK, end);
      end -= tokens;
      shards.copyLossMask(start + end, learned, 0, tokens);
      for (int i = tokens - 1; i >= 0; i--) {
        if (learned[i]) {
          return end + i;
        }
      }
    }
    return -1;
  }
}
