package dev.duoka.data.tokenizer;

import java.util.Arrays;

/**
 * Merges the symbols of one piece until no merge applies: always the merge of the lowest rank, and
 * of its places the leftmost (Sennrich et al. 2016, algorithm 1).
 */
final class Merger {
  /** Up to here looking at all pairs each time is faster than keeping a heap of them. */
  private static final int SHORT = 48;

  private final MergeTable merges;

  Merger(MergeTable merges) {
    this.merges = merges;
  }

  /** Merges the symbols of {@code ids} from index {@code from} to the end, in place. */
  void merge(IntList ids, int from) {
    int count = ids.size() - from;
    if (count < 2) {
      return;
    }
    int[] symbols = ids.tail(from);
    int left = count <= SHORT ? scan(symbols) : heap(symbols);
    for (int i = 0; i < left; i++) {
      ids.set(from + i, symbols[i]);
    }
    ids.truncate(from + left);
  }

  private int scan(int[] symbols) {
    int count = symbols.length;
    long[] pairs = new long[count];
    for (int i = 0; i + 1 < count; i++) {
      pairs[i] = merges.find(symbols[i], symbols[i + 1]);
    }
    while (true) {
      int best = -1;
      long lowest = MergeTable.NO_MERGE;
      for (int i = 0; i + 1 < count; i++) {
        if (pairs[i] < lowest) {
          lowest = pairs[i];
          best = i;
        }
      }
      if (best < 0) {
        return count;
      }
      symbols[best] = (int) lowest;
      count--;
      System.arraycopy(symbols, best + 2, symbols, best + 1, count - best - 1);
      System.arraycopy(pairs, best + 2, pairs, best + 1, count - best - 1);
      if (best + 1 < count) {
        pairs[best] = merges.find(symbols[best], symbols[best + 1]);
      }
      if (best > 0) {
        pairs[best - 1] = merges.find(symbols[best - 1], symbols[best]);
      }
    }
  }

  /** For long pieces: n log n. The heap holds rank and place; what is out of date is skipped. */
  private int heap(int[] symbols) {
    int count = symbols.length;
    int[] next = new int[count];
    int[] previous = new int[count];
    LongHeap heap = new LongHeap(count);
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      push(heap, symbols, i, i + 1);
    }
    while (!heap.isEmpty()) {
      long top = heap.pop();
      int place = (int) top;
      int right = symbols[place] < 0 ? count : next[place];
      if (right >= count) {
        continue;
      }
      long merge = merges.find(symbols[place], symbols[right]);
      if (merge == MergeTable.NO_MERGE || merge >>> 32 != top >>> 32) {
        continue;
      }
      symbols[place] = (int) merge;
      symbols[right] = -1;
      next[place] = next[right];
      if (next[place] < count) {
        previous[next[place]] = place;
      }
      push(heap, symbols, place, next[place]);
      if (previous[place] >= 0) {
        push(heap, symbols, previous[place], place);
      }
    }
    int left = 0;
    for (int i = 0; i < count; i = next[i]) {
      symbols[left++] = symbols[i];
    }
    return left;
  }

  private void push(LongHeap heap, int[] symbols, int place, int right) {
    if (right < symbols.length) {
      long merge = merges.find(symbols[place], symbols[right]);
      if (merge != MergeTable.NO_MERGE) {
        heap.push((merge & 0xFFFFFFFF00000000L) | place);
      }
    }
  }

  /** A binary heap of longs, the smallest on top. */
  private static final class LongHeap {
    private long[] values;
    private int size;

    LongHeap(int capacity) {
      values = new long[capacity];
    }

    boolean isEmpty() {
      return size == 0;
    }

    void push(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, size * 2);
      }
      int at = size++;
      while (at > 0 && values[(at - 1) / 2] > value) {
        values[at] = values[(at - 1) / 2];
        at = (at - 1) / 2;
      }
      values[at] = value;
    }

    long pop() {
      long top = values[0];
      long last = values[--size];
      int at = 0;
      while (2 * at + 1 < size) {
        int child = 2 * at + 1;
        if (child + 1 < size && values[child + 1] < values[child]) {
          child++;
        }
        if (values[child] >= last) {
          break;
        }
        values[at] = values[child];
        at = child;
      }
      values[at] = last;
      return top;
    }
  }
}
