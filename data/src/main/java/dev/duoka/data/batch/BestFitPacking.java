package dev.duoka.data.batch;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Puts documents of given lengths into as few windows as best fit in order of decreasing length
 * finds (Johnson, "Near-optimal bin packing algorithms", 1973).
 */
final class BestFitPacking {
  private final int[] packed;
  private final int[] sequenceStarts;

  private BestFitPacking(int[] packed, int[] sequenceStarts) {
    this.packed = packed;
    this.sequenceStarts = sequenceStarts;
  }

  /** Numbers of documents, window by window. */
  int[] packed() {
    return packed;
  }

  /** Where each window begins in {@link #packed}, and then its length. */
  int[] sequenceStarts() {
    return sequenceStarts;
  }

  /** A window for each document. */
  static BestFitPacking oneEach(int documents) {
    int[] packed = new int[documents];
    Arrays.setAll(packed, i -> i);
    int[] starts = new int[documents + 1];
    Arrays.setAll(starts, i -> i);
    return new BestFitPacking(packed, starts);
  }

  /** As many documents in a window as fit; none is longer than {@code capacity}. */
  static BestFitPacking of(int[] lengths, int capacity) {
    int[] order = byDecreasingLength(lengths, capacity);
    int[] bins = new int[lengths.length];
    int binCount = assign(order, lengths, capacity, bins);
    return group(order, bins, binCount);
  }

  /** A counting sort: stable, so documents of equal length keep the order of the corpus. */
  private static int[] byDecreasingLength(int[] lengths, int capacity) {
    int[] starts = new int[capacity + 2];
    for (int length : lengths) {
      starts[capacity - length + 1]++;
    }
    for (int i = 1; i < starts.length; i++) {
      starts[i] += starts[i - 1];
    }
    int[] order = new int[lengths.length];
    for (int i = 0; i < lengths.length; i++) {
      order[starts[capacity - lengths[i]]++] = i;
    }
    return order;
  }

  /** Gives each document the fullest bin that still has room; the number of bins comes back. */
  private static int assign(int[] order, int[] lengths, int capacity, int[] bins) {
    int binCount = 0;
    // Bins with the same room form a chain: one tree entry per room, links in an array.
    TreeMap<Integer, Integer> firstByRoom = new TreeMap<>();
    int[] nextWithSameRoom = new int[lengths.length];
    for (int document : order) {
      Map.Entry<Integer, Integer> best = firstByRoom.ceilingEntry(lengths[document]);
      int room = capacity;
      int bin = binCount;
      if (best == null) {
        binCount++;
      } else {
        room = best.getKey();
        bin = best.getValue();
        int following = nextWithSameRoom[bin];
        if (following < 0) {
          firstByRoom.remove(room);
        } else {
          firstByRoom.put(room, following);
        }
      }
      bins[document] = bin;
      int left = room - lengths[document];
      if (left > 0) {
        Integer first = firstByRoom.put(left, bin);
        nextWithSameRoom[bin] = first == null ? -1 : first;
      }
    }
    return binCount;
  }

  private static BestFitPacking group(int[] order, int[] bins, int binCount) {
    int[] starts = new int[binCount + 1];
    for (int bin : bins) {
      starts[bin + 1]++;
    }
    for (int i = 1; i < starts.length; i++) {
      starts[i] += starts[i - 1];
    }
    int[] next = Arrays.copyOf(starts, binCount);
    int[] packed = new int[order.length];
    for (int document : order) {
      packed[next[bins[document]]++] = document;
    }
    return new BestFitPacking(packed, starts);
  }
}
