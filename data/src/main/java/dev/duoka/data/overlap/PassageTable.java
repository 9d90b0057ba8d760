package dev.duoka.data.overlap;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The passages of the held-out documents, at most {@value #MOST} of them: where there are more, it
 * keeps those whose hash is below a half, a quarter and so on, so that what is kept does not depend
 * on the order in which they came. Filled by one thread, then asked by many.
 */
final class PassageTable {
  /** 100 MB in all. */
  static final int MOST = 1 << 22;

  /** A passage of so many held-out documents is common: a licence, a system prompt. */
  static final int COMMON = 3;

  private final int most;
  private int sampling;
  private int size;
  private long[] passages = new long[1 << 10];
  private byte[] documents = new byte[1 << 10];
  private AtomicLongArray first = new AtomicLongArray(0);

  PassageTable(int most) {
    this.most = most;
  }

  /** One passage of 2^sampling is kept. */
  int sampling() {
    return sampling;
  }

  /** Adds the passages of one held-out document, each once. */
  void add(long[] ofDocument) {
    for (long passage : ofDocument) {
      if (TextMarks.isSampled(passage, sampling)) {
        add(passage, 1);
      }
    }
    while (size > most) {
      sampling++;
      rebuild(passages.length);
    }
  }

  private void add(long passage, int count) {
    int slot = slot(passage);
    if (documents[slot] == 0) {
      passages[slot] = passage;
      size++;
    }
    documents[slot] = (byte) Math.min(COMMON, documents[slot] + count);
    if (2 * size > passages.length) {
      rebuild(2 * passages.length);
    }
  }

  private void rebuild(int slots) {
    long[] oldPassages = passages;
    byte[] oldDocuments = documents;
    passages = new long[slots];
    documents = new byte[slots];
    size = 0;
    for (int i = 0; i < oldPassages.length; i++) {
      if (oldDocuments[i] > 0 && TextMarks.isSampled(oldPassages[i], sampling)) {
        int slot = slot(oldPassages[i]);
        passages[slot] = oldPassages[i];
        documents[slot] = oldDocuments[i];
        size++;
      }
    }
  }

  /** Where a passage is, or the free place where it would be. */
  private int slot(long passage) {
    // The high bits are those by which passages are sampled.
    int slot = (int) passage & passages.length - 1;
    while (documents[slot] != 0 && passages[slot] != passage) {
      slot = slot + 1 & passages.length - 1;
    }
    return slot;
  }

  /** Nothing is added from here on. */
  void complete() {
    long[] none = new long[passages.length];
    Arrays.fill(none, Long.MAX_VALUE);
    first = new AtomicLongArray(none);
  }

  /** Notes that a document which is trained on has these passages. */
  void seen(long[] ofDocument, long document) {
    for (long passage : ofDocument) {
      int slot = slot(passage);
      if (documents[slot] != 0) {
        first.accumulateAndGet(slot, document, Math::min);
      }
    }
  }

  /** Whether a passage says nothing of where a text is from. */
  boolean isCommon(long passage) {
    return documents[slot(passage)] >= COMMON;
  }

  /** The first document trained on that has a held-out passage; the largest number for none. */
  long firstWith(long passage) {
    return first.get(slot(passage));
  }
}
