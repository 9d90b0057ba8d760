package dev.duoka.data.tokenizer;

/** Parts of one text, in order, that the stages behind treat one by one; none is empty. */
final class Pieces {
  private final String text;
  private final boolean atStart;
  private final IntList bounds;

  /**
   * No pieces yet.
   *
   * @param atStart whether index 0 of {@code text} is the beginning of the whole input
   */
  Pieces(String text, boolean atStart, int expected) {
    this(text, atStart, new IntList(2 * expected));
  }

  /** Pieces whose bounds, start and end in turn, are known. */
  Pieces(String text, boolean atStart, IntList bounds) {
    this.text = text;
    this.atStart = atStart;
    this.bounds = bounds;
  }

  /** All of {@code text} as one piece. */
  static Pieces whole(String text, boolean atStart) {
    Pieces pieces = new Pieces(text, atStart, 1);
    pieces.add(0, text.length());
    return pieces;
  }

  void add(int start, int end) {
    if (start < end) {
      bounds.add(start);
      bounds.add(end);
    }
  }

  String text() {
    return text;
  }

  boolean atStart() {
    return atStart;
  }

  int count() {
    return bounds.size() / 2;
  }

  int start(int piece) {
    return bounds.get(2 * piece);
  }

  int end(int piece) {
    return bounds.get(2 * piece + 1);
  }

  /** New text for each piece; what is between the pieces is dropped. */
  Pieces rewrite(Change change) {
    StringBuilder changed = new StringBuilder(text.length() + 16);
    IntList changedBounds = new IntList(2 * count());
    for (int i = 0; i < count(); i++) {
      int from = changed.length();
      changed.append(change.apply(i, text.substring(start(i), end(i))));
      changedBounds.add(from);
      changedBounds.add(changed.length());
    }
    return new Pieces(changed.toString(), atStart, changedBounds);
  }

  /** Gives the new text of a piece. */
  interface Change {
    String apply(int index, String piece);
  }
}
