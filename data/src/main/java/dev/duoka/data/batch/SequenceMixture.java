package dev.duoka.data.batch;

import java.math.BigDecimal;
import java.util.List;

/**
 * Sets of sequences that training draws from, each with its share of the sequences. Immutable and
 * safe for use by many threads.
 */
public final class SequenceMixture {
  private final List<SequenceSet> sets;
  private final Shares shares;

  private SequenceMixture(List<SequenceSet> sets, Shares shares) {
    this.sets = List.copyOf(sets);
    this.shares = shares;
  }

  /** One set alone. */
  public static SequenceMixture of(SequenceSet sequences) {
    return new SequenceMixture(List.of(sequences), Shares.of(List.of(BigDecimal.ONE)));
  }

  /**
   * Several sets.
   *
   * @param sets of equal length, all or none with documents apart
   * @param weights of their sequences, in the same order
   */
  public static SequenceMixture of(List<SequenceSet> sets, List<BigDecimal> weights) {
    boolean alike =
        sets.stream()
            .allMatch(
                set ->
                    set.length() == sets.getFirst().length()
                        && set.together() == sets.getFirst().together()
                        && set.apart() == sets.getFirst().apart());
    if (!alike || sets.size() != weights.size()) {
      throw new IllegalArgumentException("sets of different sequences, or not a weight for each");
    }
    return new SequenceMixture(sets, Shares.of(weights));
  }

  /** The sets. */
  public List<SequenceSet> sets() {
    return sets;
  }

  /** What of the sequences each set gives. */
  public Shares shares() {
    return shares;
  }

  /** Sequences of all sets together, each counted once. */
  public long count() {
    return sets.stream().mapToLong(SequenceSet::count).sum();
  }

  /** Input tokens of each sequence. */
  public int length() {
    return sets.getFirst().length();
  }

  /** How many sequences, one behind the other, are always drawn together. */
  public int together() {
    return sets.getFirst().together();
  }

  /** Whether documents of a sequence do not see each other. */
  public boolean apart() {
    return sets.getFirst().apart();
  }

  /**
   * How often a row of so many sequences passes over a set.
   *
   * @param sequences of the row
   */
  public double epochs(int set, double sequences) {
    return sequences * shares.of(set) / sets.get(set).count();
  }
}
