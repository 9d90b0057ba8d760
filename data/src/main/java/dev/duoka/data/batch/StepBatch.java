package dev.duoka.data.batch;

import java.util.List;

/**
 * What one rank trains on in one optimizer step.
 *
 * @param microBatches this rank's micro-batches, in order
 * @param stepTargets real targets in the whole step, over all ranks: the number that the sum of
 *     token losses is divided by, the same on every rank without communication
 * @param before the data state before this step
 * @param after the data state after this step, for a checkpoint taken after it
 * @param emptyMicroBatches how many micro-batches of the whole step, over all ranks, are empty
 */
public record StepBatch(
    List<MicroBatch> microBatches,
    long stepTargets,
    DataState before,
    DataState after,
    int emptyMicroBatches) {
  /** A step without empty micro-batches. */
  public StepBatch(
      List<MicroBatch> microBatches, long stepTargets, DataState before, DataState after) {
    this(microBatches, stepTargets, before, after, 0);
  }

  /** The same step in micro-batches of so many sequences, a divisor of what they have. */
  public StepBatch inMicroBatchesOf(int sequences) {
    List<MicroBatch> smaller =
        microBatches.stream().flatMap(batch -> batch.split(sequences).stream()).toList();
    int times = smaller.size() / microBatches.size();
    return new StepBatch(smaller, stepTargets, before, after, emptyMicroBatches * times);
  }
}
