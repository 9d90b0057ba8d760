package dev.duoka.data.batch;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** One sequence as it is trained on, to look at: its tokens, of which the last is only a target. */
public final class Sample {
  private final int[] tokens;
  private final BitSet learned = new BitSet();
  private final List<Part> parts;

  /** What a window holds now. */
  Sample(Window window) {
    tokens = window.tokens.clone();
    for (int i = 1; i < tokens.length; i++) {
      learned.set(i, window.isTarget(i));
    }
    parts = List.copyOf(window.parts);
  }

  /**
   * A stretch of a document.
   *
   * @param start of the stretch in the sequence
   * @param length of the stretch
   * @param offset tokens of the document that lie before the stretch, and are not in the sequence
   * @param whole tokens of the document
   */
  public record Part(int start, int length, long offset, long whole) {
    /** Behind its last token. */
    public int end() {
      return start + length;
    }

    /** Tokens of the document that lie behind the stretch. */
    public long left() {
      return whole - offset - length;
    }
  }

  /** How many tokens there are, padding included. */
  public int length() {
    return tokens.length;
  }

  /** The ids from one index to before another; a copy. */
  public int[] tokens(int from, int to) {
    return Arrays.copyOfRange(tokens, from, to);
  }

  /** The id at an index. */
  public int token(int index) {
    return tokens[index];
  }

  /** Whether the loss asks for the token at an index. */
  public boolean isLearned(int index) {
    return learned.get(index);
  }

  /** How many tokens from one index to before another the loss asks for. */
  public int learned(int from, int to) {
    return learned.get(from, to).cardinality();
  }

  /** What it holds of documents, in order. */
  public List<Part> parts() {
    return parts;
  }

  /** How many tokens at the end are padding. */
  public int padding() {
    return tokens.length - parts.getLast().end();
  }
}
