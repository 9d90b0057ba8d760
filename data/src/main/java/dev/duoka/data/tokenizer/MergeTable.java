package dev.duoka.data.tokenizer;

import java.util.Arrays;

/** The merges of a BPE model: two ids next to each other, to a rank and the id they become. */
final class MergeTable {
  /** What {@link #find} gives for a pair that does not merge; larger than every merge. */
  static final long NO_MERGE = Long.MAX_VALUE;

  private static final long EMPTY = -1;

  private final long[] keys;
  private final long[] values;
  private final int mask;

  /** Room for that many merges, at most half full. */
  MergeTable(int merges) {
    int capacity = Integer.highestOneBit(Math.max(8, merges)) << 2;
    keys = new long[capacity];
    values = new long[capacity];
    mask = capacity - 1;
    Arrays.fill(keys, EMPTY);
  }

  /** Adds a merge; a pair that is given twice has the rank of the second. */
  void put(int left, int right, int rank, int merged) {
    long key = ((long) left << 32) | right;
    int slot = slot(key);
    while (keys[slot] != EMPTY && keys[slot] != key) {
      slot = (slot + 1) & mask;
    }
    keys[slot] = key;
    values[slot] = ((long) rank << 32) | merged;
  }

  /** Rank in the upper and merged id in the lower 32 bits, so that smaller is earlier. */
  long find(int left, int right) {
    long key = ((long) left << 32) | right;
    int slot = slot(key);
    while (true) {
      long there = keys[slot];
      if (there == key) {
        return values[slot];
      }
      if (there == EMPTY) {
        return NO_MERGE;
      }
      slot = (slot + 1) & mask;
    }
  }

  private int slot(long key) {
    long mixed = key * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 32) & mask;
  }
}
