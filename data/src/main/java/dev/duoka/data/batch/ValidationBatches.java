package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * The batches of a validation pass: all sequences, or the first few, in their fixed order.
 *
 * <p>Every rank has the same number of micro-batches, so that collectives match; rows beyond the
 * last sequence have no targets. Immutable and safe for use by many threads.
 */
public final class ValidationBatches {
  private final SequenceSet sequences;
  private final long used;
  private final int rank;
  private final int ranks;
  private final int microBatch;

  /**
   * @param limit the most sequences to use
   * @param rank 0-based data-parallel rank
   * @param ranks number of data-parallel ranks
   * @param microBatch sequences in one forward pass of one rank
   * @throws DuokaException if those sequences have nothing to learn: there would be no mean loss
   */
  public ValidationBatches(SequenceSet sequences, long limit, int rank, int ranks, int microBatch) {
    if (limit < 1 || microBatch < 1 || rank < 0 || rank >= ranks) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "validation on %d sequences as rank %d of %d in micro-batches of %d cannot be"
              .formatted(limit, rank, ranks, microBatch),
          "Use positive sizes and a rank below the number of ranks.");
    }
    if (!sequences.hasTargets(limit)) {
      throw new DuokaException(
          ErrorCode.DATA,
          "none of the first %d sequences held out for validation has a token to learn"
              .formatted(Math.min(limit, sequences.count())),
          "Raise validation.sequences or data.validation_fraction, or set that to 0.");
    }
    this.sequences = sequences;
    long most = Math.min(limit, sequences.count());
    this.used = most - most % sequences.together();
    this.rank = rank;
    this.ranks = ranks;
    this.microBatch = microBatch;
  }

  /** Sequences evaluated over all ranks. */
  public long sequences() {
    return used;
  }

  /** Number of micro-batches, the same on every rank. */
  public int count() {
    long together = (long) ranks * microBatch;
    return Math.toIntExact((used + together - 1) / together);
  }

  /**
   * One micro-batch of this rank.
   *
   * @param index below {@link #count()}
   */
  public MicroBatch read(int index) {
    if (index < 0 || index >= count()) {
      throw new IndexOutOfBoundsException("micro-batch " + index + " of " + count());
    }
    MicroBatch batch = MicroBatch.of(microBatch, sequences);
    Window window = new Window(sequences.length());
    long first = ((long) index * ranks + rank) * microBatch;
    for (int row = 0; row < microBatch; row++) {
      if (first + row < used) {
        sequences.read(first + row, 0, window);
      } else {
        window.clear();
        window.pad(0);
      }
      batch.fillRow(row, window);
    }
    return batch;
  }
}
