package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/**
 * The order in which training takes its sequences: each epoch of a set is a permutation of all of
 * them that is a pure function of (seed, epoch), and so are the places where its stream is cut.
 *
 * <p>Pairs of sequences are drawn as such, one behind the other.
 *
 * <p>One after another, epochs form an endless row. A step takes the next sequences of that row and
 * may run from one epoch into the next; the last ones of an epoch are never dropped. In a mixture
 * {@link MixtureRow} says of each place which set its sequence is of, and each set has its own row:
 * one that is exhausted begins again in another order. Immutable and safe for use by many threads.
 */
public final class TrainingOrder {
  private final SequenceMixture sequences;
  private final long seed;

  /** Orders a set of sequences by a seed. */
  public TrainingOrder(SequenceSet sequences, long seed) {
    this(SequenceMixture.of(sequences), seed);
  }

  /** Orders a mixture by a seed. */
  public TrainingOrder(SequenceMixture sequences, long seed) {
    this.sequences = sequences;
    this.seed = seed;
  }

  /** What it orders. */
  public SequenceMixture sequences() {
    return sequences;
  }

  /**
   * The state after {@code count} sequences from {@code state} on. Of one set a state has epoch and
   * position; of a mixture, whose sets have epochs of their own, the position is that in the whole
   * row and the epoch 0.
   */
  public DataState advance(DataState state, long count) {
    if (!isMixed()) {
      long all = sequences.count();
      if (state.position() >= all) {
        throw new DuokaException(
            ErrorCode.CHECKPOINT,
            "the data state is at sequence %d of an epoch, but the data has %d sequences"
                .formatted(state.position(), all),
            "Resume with the data, split and sequence length of the run that wrote it.");
      }
      return state.advance(count, all);
    }
    if (state.epoch() != 0) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the data state is in epoch %d, but a mixture of %d sources has no epochs"
              .formatted(state.epoch(), sequences.sets().size()),
          "Resume with the sources and weights of the run that wrote it.");
    }
    return new DataState(0, Math.addExact(state.position(), count));
  }

  private boolean isMixed() {
    return sequences.sets().size() > 1;
  }

  /** A sequence of the endless row to look at, counted from its start. */
  public Sample sample(long place) {
    Window window = new Window(sequences.length());
    new Reader().read(DataState.START, place, window);
    return new Sample(window);
  }

  /** Reads sequences of the endless row, which starts at {@link DataState#START}. */
  final class Reader {
    private final List<SetReader> sets = new ArrayList<>();
    private final MixtureRow row = new MixtureRow(sequences.shares(), seed);

    Reader() {
      for (int set = 0; set < sequences.sets().size(); set++) {
        long own = isMixed() ? SplitMix64.mix(SplitMix64.mix(seed), set) : seed;
        sets.add(new SetReader(sequences.sets().get(set), own));
      }
    }

    /** Puts together the sequence that is {@code offset} places after {@code state}. */
    void read(DataState state, long offset, Window into) {
      DataState at = advance(state, offset);
      if (!isMixed()) {
        sets.getFirst().read(at.epoch(), at.position(), into);
        return;
      }
      int together = sequences.together();
      row.seek(at.position() / together);
      int set = row.coming();
      long index = row.taken(set) * together + at.position() % together;
      long count = sequences.sets().get(set).count();
      sets.get(set).read(index / count, index % count, into);
    }
  }

  /** Reads sequences of one set. */
  private static final class SetReader {
    private final SequenceSet set;
    private final long seed;
    private long epoch = -1;
    private KeyedPermutation permutation = new KeyedPermutation(1, 0);
    private long cutKey;

    SetReader(SequenceSet set, long seed) {
      this.set = set;
      this.seed = seed;
    }

    void read(long ofEpoch, long position, Window into) {
      if (ofEpoch != epoch) {
        epoch = ofEpoch;
        long key = SplitMix64.mix(seed, epoch);
        permutation = new KeyedPermutation(set.count() / set.together(), key);
        cutKey = SplitMix64.mix(key, 1) | 1;
      }
      int together = set.together();
      long first = permutation.apply(position / together) * together;
      set.read(first + position % together, cutKey, into);
    }
  }
}
