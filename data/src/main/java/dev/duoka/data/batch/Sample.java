package dev.duoka.data.batch;

import java.util.BitSet;
import java.util.List;

/**
 * One sequence as it is trained on, to look at.
 *
 * @param tokens ids; the last one is only ever a target
 * @param learned the tokens that the loss asks for
 * @param parts of documents in it, in order
 * @param padding how many tokens at the end are padding
 */
public record Sample(int[] tokens, BitSet learned, List<Part> parts, int padding) {
  /**
   * A stretch of a document.
   *
   * @param start of the stretch in the sequence
   * @param length of the stretch
   * @param offset tokens of the document that lie before the stretch, and are not in the sequence
   * @param whole tokens of the document
   */
  public record Part(int start, int length, long offset, long whole) {
    /** Tokens of the document that lie behind the stretch. */
    public long left() {
      return whole - offset - length;
    }
  }

  /** What a window holds now. */
  static Sample of(Window window) {
    BitSet learned = new BitSet();
    for (int i = 1; i < window.tokens.length; i++) {
      learned.set(i, window.isTarget(i));
    }
    Part last = window.parts.getLast();
    int padding = window.tokens.length - last.start() - last.length();
    return new Sample(window.tokens.clone(), learned, List.copyOf(window.parts), padding);
  }
}
