package dev.duoka.measure.step;

import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.MemoryOwner;
import java.util.Map;

/** The dry run of a layout as the planner names it. */
final class DryRun {
  private DryRun() {}

  /** Bytes by owner at the peak of a rank. */
  static Map<MemoryOwner, Long> count(ModelConfig config, Layout layout, int length) {
    MoeConfig moe = config.moe();
    StepSettings settings =
        new StepSettings(
            config,
            layout.precision(),
            layout.recompute(),
            length,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            layout.zero(),
            LossScaler.Settings.DEFAULT,
            new StepSettings.AuxiliaryLosses(
                config.mtpModules(), 0.3, moe == null ? 0 : 0.01, true, 0.001));
    return dev.duoka.parallel.dryrun.DryRun.unrolled(
            new DryRunJob(settings, layout.data(), layout.microBatch(), 1))
        .peakByOwner();
  }
}
