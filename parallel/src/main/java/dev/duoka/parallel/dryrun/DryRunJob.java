package dev.duoka.parallel.dryrun;

import dev.duoka.parallel.step.StepSettings;

/**
 * A step to run with shapes alone.
 *
 * @param settings what the step is made from
 * @param dataRanks data-parallel ranks
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a rank in a step
 */
public record DryRunJob(StepSettings settings, int dataRanks, int microBatch, int accumulation) {}
