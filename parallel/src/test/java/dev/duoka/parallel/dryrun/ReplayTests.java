package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.testing.TinyRuns;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A few layers replayed book what all layers do. */
class ReplayTests {
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 7, 0, FP32, NONE, 1, 0, 1",
    "tiny-llama, 9, 0, BF16, FULL, 2, 1, 4",
    "tiny-llama, 6, 0, BF16, SELECTIVE, 4, 0, 2",
    "tiny-moe, 6, 1, BF16, NONE, 1, 0, 3",
    "tiny-v2, 9, 4, FP32, SELECTIVE, 2, 1, 1",
    "tiny-v2, 8, 6, BF16, FULL, 1, 0, 2",
    "tiny-v3, 8, 3, BF16, SELECTIVE, 1, 0, 1",
    "tiny-v3, 10, 3, FP32, FULL, 4, 1, 5",
    "tiny-v3, 3, 1, FP8, NONE, 1, 0, 1"
  })
  void replayedIsUnrolled(
      String preset,
      int layers,
      int dense,
      Precision precision,
      Recompute recompute,
      int ranks,
      int zeroStage,
      int accumulation) {
    ModelConfig config = TinyRuns.config(preset);
    LayerCounts counts =
        new LayerCounts(
            config.moe() == null ? layers : dense, config.moe() == null ? 0 : layers - dense);
    DryRunJob job =
        new DryRunJob(
            TinyRuns.settings(counts.applyTo(config), precision, recompute, zeroStage),
            ranks,
            2,
            accumulation);
    assertThat(DryRun.replayedPeak(job)).isEqualTo(DryRun.unrolled(job).peakByOwner());
  }

  /** States that pass through the device leave nothing there that does not grow evenly. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, NONE, 1, 1, BF16, 1",
    "tiny-v3, SELECTIVE, 2, 2, BITS8, 1",
    "tiny-llama, NONE, 1, 1, FP32, 0.5",
    "tiny-v3, SELECTIVE, 2, 2, BF16, 0.25"
  })
  void stepsWhoseStatesPassThrough(
      String preset,
      Recompute recompute,
      int ranks,
      int accumulation,
      MomentForm moments,
      double fraction) {
    ModelConfig config = TinyRuns.config(preset);
    LayerCounts counts = config.moe() == null ? new LayerCounts(7, 0) : new LayerCounts(2, 5);
    StateForm form = new StateForm(moments, true, GradientForm.FP32);
    DryRunJob job =
        new DryRunJob(
            TinyRuns.settings(counts.applyTo(config), Precision.BF16, recompute, 1)
                .with(
                    new StateSettings(form, Offload.OPTIMIZER, OffloadUpdate.DEVICE, 0)
                        .offloading(fraction)),
            ranks,
            2,
            accumulation);
    assertThat(DryRun.replayed(job).byOwner()).isEqualTo(DryRun.unrolled(job).peakByOwner());
  }

  /** Of the real size, where layers of one kind outweigh those of the other. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, NONE, 4",
    "deepseek-v2-lite, SELECTIVE, 2",
    "deepseek-v2-lite, FULL, 1"
  })
  void soItIsAtFullSize(String preset, Recompute recompute, int ranks) {
    DryRunJob job =
        new DryRunJob(
            TinyRuns.settings(Presets.named(preset), Precision.BF16, recompute, 1), ranks, 4, 1);
    assertThat(DryRun.replayedPeak(job)).isEqualTo(DryRun.unrolled(job).peakByOwner());
  }
}
