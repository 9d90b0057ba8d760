package dev.duoka.data.batch;

import java.math.BigDecimal;
import java.util.List;

/**
 * All sequences of several sets, each once, spread evenly: wherever one stops, each set has given
 * its part but for one sequence. For validation on several sources, of which the first sequences
 * may be all that is read. Holds a number for each sequence.
 */
public final class SpreadSequences extends SequenceSet {
  private final List<SequenceSet> sets;

  /** The set of each sequence or pair, and its index there, as one number. */
  private final long[] order;

  private SpreadSequences(List<SequenceSet> sets, long[] order) {
    super(sets.getFirst().apart());
    this.sets = sets;
    this.order = order;
  }

  /**
   * Spreads sets; one alone stays what it is.
   *
   * @param sets of equal length, all or none with documents apart
   */
  public static SequenceSet of(List<SequenceSet> sets) {
    if (sets.size() == 1) {
      return sets.getFirst();
    }
    List<BigDecimal> counts = sets.stream().map(set -> BigDecimal.valueOf(set.count())).toList();
    SequenceMixture mixture = SequenceMixture.of(sets, counts);
    MixtureRow row = new MixtureRow(mixture.shares(), 0);
    int together = mixture.together();
    long[] order = new long[Math.toIntExact(mixture.count() / together)];
    long[] taken = new long[sets.size()];
    for (int i = 0; i < order.length; i++) {
      int set = row.next();
      order[i] = taken[set]++ * sets.size() + set;
    }
    return new SpreadSequences(mixture.sets(), order);
  }

  @Override
  public long count() {
    return (long) order.length * together();
  }

  @Override
  public int together() {
    return sets.getFirst().together();
  }

  @Override
  public int length() {
    return sets.getFirst().length();
  }

  @Override
  void read(long index, long cutKey, Window into) {
    long place = order[Math.toIntExact(index / together())];
    long first = place / sets.size() * together();
    sets.get((int) (place % sets.size())).read(first + index % together(), cutKey, into);
  }
}
