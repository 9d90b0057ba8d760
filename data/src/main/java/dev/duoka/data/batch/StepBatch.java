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
}
