package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenShards;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Puts documents into as few windows as best fit decreasing finds. */
final class BestFitPacking {
  private final int[] packed;
  private final int[] sequenceStarts;
  private final long cutDocuments;

  private BestFitPacking(int[] packed, int[] sequenceStarts, long cutDocuments) {
    this.packed = packed;
    this.sequenceStarts = sequenceStarts;
    this.cutDocuments = cutDocuments;
  }

  int[] packed() {
    return packed;
  }

  int[] sequenceStarts() {
    return sequenceStarts;
  }

  long cutDocuments() {
    return cutDocuments;
  }

  static BestFitPacking of(DocumentSubset subset, int capacity) {
    TokenShards shards = subset.shards();
    if (shards.documents() > Integer.MAX_VALUE - 8) {
      throw new DuokaException(
          ErrorCode.DATA,
          shards.documents() + " documents are more than can be packed whole",
          "Split the data, or pack it as a stream.");
    }
    int[] documents = new int[(int) subset.documents()];
    int[] lengths = new int[documents.length];
    long cut = 0;
    int at = 0;
    for (int document = 0; document < shards.documents(); document++) {
      if (subset.contains(document)) {
        long length = shards.documentLength(document);
        cut += length > capacity ? 1 : 0;
        documents[at] = document;
        lengths[at++] = (int) Math.min(length, capacity);
      }
    }
    int[] order = byDecreasingLength(lengths, capacity);
    int[] bins = new int[documents.length];
    int binCount = assign(order, lengths, capacity, bins);
    return group(documents, order, bins, binCount, cut);
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

  private static BestFitPacking group(
      int[] documents, int[] order, int[] bins, int binCount, long cut) {
    int[] starts = new int[binCount + 1];
    for (int bin : bins) {
      starts[bin + 1]++;
    }
    for (int i = 1; i < starts.length; i++) {
      starts[i] += starts[i - 1];
    }
    int[] next = Arrays.copyOf(starts, binCount);
    int[] packed = new int[documents.length];
    for (int document : order) {
      packed[next[bins[document]]++] = documents[document];
    }
    return new BestFitPacking(packed, starts, cut);
  }
}
