package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * Which sequences of each step one data-parallel rank takes, and in what portions.
 *
 * <p>The sequences of a step are a function of seed and step alone. Rank {@code r} takes the {@code
 * r}-th contiguous slice of them and cuts it into micro-batches, so another number of ranks or
 * another micro-batch size gives the same steps. All ranks have as many micro-batches, so that
 * collectives match; where the ranks do not divide them, the last ones are empty.
 *
 * @param rank 0-based data-parallel rank
 * @param ranks number of data-parallel ranks
 * @param microBatch sequences in one forward pass of one rank
 * @param sequencesPerStep sequences in one optimizer step over all ranks
 */
public record RankShare(int rank, int ranks, int microBatch, int sequencesPerStep) {
  /** Refuses sizes that do not divide one another. */
  public RankShare {
    if (ranks < 1 || rank < 0 || rank >= ranks || microBatch < 1 || sequencesPerStep < 1) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "rank %d of %d with micro-batches of %d and %d sequences a step cannot be"
              .formatted(rank, ranks, microBatch, sequencesPerStep),
          "Use positive sizes and a rank below the number of ranks.");
    }
    if (sequencesPerStep % microBatch != 0) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "%d sequences a step cannot be divided into micro-batches of %d"
              .formatted(sequencesPerStep, microBatch),
          "Choose a multiple of %d sequences a step, or another micro-batch."
              .formatted(microBatch));
    }
  }

  /** Micro-batches that a rank runs before each optimizer step. */
  public int accumulation() {
    return Math.ceilDiv(sequencesPerStep / microBatch, ranks);
  }

  /** Micro-batches of a step, over all ranks, that hold no sequence. */
  public int emptyMicroBatches() {
    return accumulation() * ranks - sequencesPerStep / microBatch;
  }

  /** Where the slice of this rank begins within a step. */
  public int firstSequence() {
    return Math.min(sequencesPerStep, rank * accumulation() * microBatch);
  }
}
