package dev.duoka.data.overlap;

import dev.duoka.data.shard.TokenShards;
import java.util.stream.IntStream;

/**
 * A 64-bit hash of each document's tokens. Two different documents of a hundred million have the
 * same one with a probability below one in a thousand.
 */
final class ContentHashes {
  private static final int CHUNK = 1 << 14;

  private ContentHashes() {}

  /** Of all documents of some shards, on all cores. */
  static long[] of(TokenShards shards) {
    long[] hashes = new long[Math.toIntExact(shards.documents())];
    IntStream.range(0, hashes.length)
        .parallel()
        .forEach(document -> hashes[document] = of(shards, document));
    return hashes;
  }

  private static long of(TokenShards shards, int document) {
    long start = shards.documentStart(document);
    long length = shards.documentLength(document);
    int[] tokens = new int[(int) Math.min(CHUNK, length)];
    long hash = length;
    for (long done = 0; done < length; done += tokens.length) {
      int count = (int) Math.min(tokens.length, length - done);
      shards.copyTokens(start + done, tokens, 0, count);
      for (int i = 0; i < count; i++) {
        hash = (hash ^ tokens[i]) * 0x9e3779b97f4a7c15L;
        hash ^= hash >>> 32;
      }
    }
    return mix(hash);
  }

  /** The finaliser of SplitMix64. */
  static long mix(long value) {
    long hash = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
    return hash ^ (hash >>> 31);
  }
}
