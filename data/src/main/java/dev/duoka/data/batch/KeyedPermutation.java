package dev.duoka.data.batch;

/**
 * A pseudo-random permutation of {@code 0 … size-1} that takes no memory: element {@code i} is
 * computed, so a shuffle of any size can be entered at any place.
 *
 * <p>A Feistel network permutes the next power of four that holds {@code size}; a result outside
 * the range is permuted again until it falls inside ("cycle walking", Black and Rogaway, "Ciphers
 * with arbitrary finite domains", 2002), on average less than four times.
 */
final class KeyedPermutation {
  private static final int ROUNDS = 6;

  private final long size;
  private final int halfBits;
  private final long halfMask;
  private final long[] roundKeys = new long[ROUNDS];

  KeyedPermutation(long size, long key) {
    if (size < 1 || size > 1L << 62) {
      throw new IllegalArgumentException("a permutation of " + size + " elements");
    }
    this.size = size;
    int bits = Long.SIZE - Long.numberOfLeadingZeros(size - 1);
    this.halfBits = Math.max(1, (bits + 1) / 2);
    this.halfMask = (1L << halfBits) - 1;
    for (int i = 0; i < ROUNDS; i++) {
      roundKeys[i] = SplitMix64.mix(key, i);
    }
  }

  /** Where {@code index} goes. */
  long apply(long index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("index " + index + " of " + size);
    }
    long value = index;
    do {
      value = feistel(value);
    } while (value >= size);
    return value;
  }

  private long feistel(long value) {
    long left = value >>> halfBits;
    long right = value & halfMask;
    for (long roundKey : roundKeys) {
      long next = left ^ (SplitMix64.mix(right ^ roundKey) & halfMask);
      left = right;
      right = next;
    }
    return left << halfBits | right;
  }
}
