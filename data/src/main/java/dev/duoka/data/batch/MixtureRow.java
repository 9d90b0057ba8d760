package dev.duoka.data.batch;

import java.util.Arrays;

/**
 * Which source each sequence of an endless row is of: a pure function of the shares, the seed and
 * the place. Holds three numbers for each source. For one thread.
 *
 * <p>The {@code j}-th sequence of a source with share {@code p} may come once {@code floor(j / p)}
 * others have, and must have come after {@code ceil((j + 1) / p)}; of those that may, the one that
 * must come soonest does. That always works out (Tijdeman, "The chairman assignment problem", 1980;
 * as a schedule of processors, Baruah et al., "Proportionate progress", 1996), so that after any
 * number {@code k} of sequences each source has had less than one more or less than {@code p · k}
 * of them. Between those that must come equally soon the seed decides.
 *
 * <p>After {@link Shares#whole} sequences all is even and the next period begins. To be somewhere
 * means to go there from the beginning of its period, some nanoseconds a sequence and source.
 */
final class MixtureRow {
  private final Shares shares;
  private final long seed;
  private final long[] taken;
  private final long[] deadline;
  private long period;
  private long place;

  MixtureRow(Shares shares, long seed) {
    this.shares = shares;
    this.seed = seed;
    this.taken = new long[shares.count()];
    this.deadline = new long[shares.count()];
    begin(0);
  }

  /** Goes to a place of the row. */
  void seek(long target) {
    long wanted = target / shares.whole();
    long within = target % shares.whole();
    if (wanted != period || within < place) {
      begin(wanted);
    }
    while (place < within) {
      take(coming());
    }
  }

  /** The source of the sequence at this place; the next place is the one after it. */
  int next() {
    int source = coming();
    take(source);
    if (place == shares.whole()) {
      begin(period + 1);
    }
    return source;
  }

  /** How many sequences of a source lie before this place. */
  long taken(int source) {
    return Math.addExact(Math.multiplyExact(period, shares.part(source)), taken[source]);
  }

  private void begin(long newPeriod) {
    period = newPeriod;
    place = 0;
    Arrays.fill(taken, 0);
    for (int source = 0; source < deadline.length; source++) {
      deadline[source] = deadline(source);
    }
  }

  /** The source of the sequence at this place. */
  int coming() {
    int best = 0;
    long soonest = Long.MAX_VALUE;
    for (int source = 0; source < deadline.length; source++) {
      if (deadline[source] <= soonest && isReleased(source)) {
        if (deadline[source] < soonest || luck(source) < luck(best)) {
          best = source;
        }
        soonest = deadline[source];
      }
    }
    return best;
  }

  private void take(int source) {
    taken[source]++;
    deadline[source] = deadline(source);
    place++;
  }

  /** {@code floor(taken / p) ≤ place}, in whole numbers. */
  private boolean isReleased(int source) {
    return taken[source] * shares.whole() < (place + 1) * shares.part(source);
  }

  private long deadline(int source) {
    return taken[source] == shares.part(source)
        ? Long.MAX_VALUE
        : Math.ceilDiv((taken[source] + 1) * shares.whole(), shares.part(source));
  }

  private long luck(int source) {
    return SplitMix64.mix(SplitMix64.mix(SplitMix64.mix(seed, period), place), source);
  }
}
