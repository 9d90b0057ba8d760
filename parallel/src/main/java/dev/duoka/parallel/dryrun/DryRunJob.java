package dev.duoka.parallel.dryrun;

import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Layout;
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
  /** The weight of predicting further tokens that layouts are counted with. */
  private static final double FURTHER_TOKENS = 0.3;

  /**
   * The step of a layout that is data-parallel alone, with everything that the model has.
   *
   * @param length tokens in a sequence
   */
  public static DryRunJob of(ModelConfig model, Layout layout, int length) {
    MoeConfig moe = model.moe();
    return new DryRunJob(
        new StepSettings(
            model,
            layout.precision(),
            layout.recompute(),
            length,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            layout.zero(),
            LossScaler.Settings.DEFAULT,
            new StepSettings.AuxiliaryLosses(
                model.mtpModules(), FURTHER_TOKENS, moe == null ? 0 : 0.01, true, 0.001)),
        layout.data(),
        layout.microBatch(),
        layout.accumulation());
  }

  /**
   * The same with no more forward passes than have a peak of their own: the first starts the sums
   * of gradients, the second adds to them, as all others do.
   */
  public DryRunJob steady() {
    return new DryRunJob(settings, dataRanks, microBatch, Math.min(accumulation, 2));
  }

  /** The same of another model. */
  DryRunJob of(ModelConfig model) {
    return new DryRunJob(settings.of(model), dataRanks, microBatch, accumulation);
  }
}
