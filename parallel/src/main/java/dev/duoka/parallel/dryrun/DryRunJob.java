package dev.duoka.parallel.dryrun;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.step.StepSettings;

/**
 * A step to run with shapes alone.
 *
 * @param settings what the step is made from
 * @param dataRanks data-parallel ranks
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a rank in a step
 */
public record DryRunJob(StepSettings settings, int dataRanks, int microBatch, int accumulation) {
  /** The same with another number of forward passes. */
  DryRunJob withAccumulation(int other) {
    return new DryRunJob(settings, dataRanks, microBatch, other);
  }

  /** The same of another model. */
  DryRunJob of(ModelConfig model) {
    return new DryRunJob(settings.of(model), dataRanks, microBatch, accumulation);
  }
}
