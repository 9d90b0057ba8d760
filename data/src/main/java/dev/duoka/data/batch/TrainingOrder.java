package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * The order in which training takes its sequences: each epoch is a permutation of all of them that
 * is a pure function of (seed, epoch), and so are the places where the stream is cut.
 *
 * <p>One after another, epochs form an endless row. A step takes the next sequences of that row and
 * may run from one epoch into the next; the last ones of an epoch are never dropped. Immutable and
 * safe for use by many threads.
 */
public final class TrainingOrder {
  private final SequenceSet sequences;
  private final long seed;

  /** Orders a set of sequences by a seed. */
  public TrainingOrder(SequenceSet sequences, long seed) {
    this.sequences = sequences;
    this.seed = seed;
  }

  /** What it orders. */
  public SequenceSet sequences() {
    return sequences;
  }

  /** The state after {@code count} sequences from {@code state} on. */
  public DataState advance(DataState state, long count) {
    if (state.position() >= sequences.count()) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the data state is at sequence %d of an epoch, but the data has %d sequences"
              .formatted(state.position(), sequences.count()),
          "Resume with the data, split and sequence length of the run that wrote it.");
    }
    return state.advance(count, sequences.count());
  }

  /** A sequence of the endless row to look at, counted from its start. */
  public Sample sample(long place) {
    Window window = new Window(sequences.length());
    new Reader().read(DataState.START, place, window);
    return new Sample(window);
  }

  /** Reads sequences of the endless row, which starts at {@link DataState#START}. */
  final class Reader {
    private long epoch = -1;
    private KeyedPermutation permutation = new KeyedPermutation(1, 0);
    private long cutKey;

    /** Puts together the sequence that is {@code offset} places after {@code state}. */
    void read(DataState state, long offset, Window into) {
      DataState at = advance(state, offset);
      if (at.epoch() != epoch) {
        epoch = at.epoch();
        long key = SplitMix64.mix(seed, epoch);
        permutation = new KeyedPermutation(sequences.count(), key);
        cutKey = SplitMix64.mix(key, 1) | 1;
      }
      sequences.read(permutation.apply(at.position()), cutKey, into);
    }
  }
}
