package dev.duoka.data.batch;

/**
 * The documents of one part of the split, packed into sequences of equal length.
 *
 * <p>Every sequence is a window of {@code length + 1} tokens: the first {@code length} are the
 * input, and the target of each is the token after it. A target is masked when the token after it
 * begins a document, so the end token of each document is learned and what follows it is not: no
 * loss asks for the beginning of a document from the end of an unrelated one. Attention keeps
 * documents apart where {@link #apart} says so; otherwise tokens see the documents before theirs in
 * the same sequence.
 *
 * <p>Immutable and safe for use by many threads.
 */
public abstract sealed class SequenceSet
    permits StreamSequences, DocumentSequences, PairSequences, SpreadSequences {
  private final boolean apart;

  /**
   * A set.
   *
   * @param apart whether documents of a sequence do not see each other
   */
  SequenceSet(boolean apart) {
    this.apart = apart;
  }

  /** Whether documents of a sequence do not see each other. */
  public final boolean apart() {
    return apart;
  }

  /** Number of sequences. */
  public abstract long count();

  /** Input tokens in each sequence. */
  public abstract int length();

  /** How many sequences, one behind the other, are always drawn together: two of a pair. */
  public int together() {
    return 1;
  }

  /** Whether any of the first {@code most} sequences has a token to learn. */
  final boolean hasTargets(long most) {
    Window window = new Window(length());
    for (long i = 0; i < Math.min(most, count()); i++) {
      read(i, 0, window);
      if (window.realTargets() > 0) {
        return true;
      }
    }
    return false;
  }

  /** A sequence to look at, as validation reads it; below {@link #count()}. */
  public final Sample sample(long index) {
    Window window = new Window(length());
    read(index, 0, window);
    return new Sample(window);
  }

  /**
   * Puts one sequence together.
   *
   * @param index of the sequence, below {@link #count()}
   * @param cutKey where the cuts lie, where they can vary: 0 for the plain cut
   * @param into of this set's length
   */
  abstract void read(long index, long cutKey, Window into);
}
