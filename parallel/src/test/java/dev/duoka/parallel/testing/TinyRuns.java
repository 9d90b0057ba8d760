package dev.duoka.parallel.testing;

import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.step.StepSettings;
import java.util.ArrayList;
import java.util.List;

/** Small models and their steps. */
public final class TinyRuns {
  /** Tokens in a sequence: enough for the CPU to take its fused attention, as real runs do. */
  public static final int LENGTH = 136;

  private TinyRuns() {}

  /** A preset; V3 with one module for further tokens. */
  public static ModelConfig config(String preset) {
    ModelConfig config = Presets.named(preset);
    return withLayers(config, config.layers(), preset.equals("tiny-v3") ? 1 : 0);
  }

  /** The same model with other numbers of layers and of modules for further tokens. */
  public static ModelConfig withLayers(ModelConfig config, int layers, int mtpModules) {
    return config.with(layers, config.moe(), mtpModules);
  }

  /** Settings with everything that the model has. */
  public static StepSettings settings(
      ModelConfig config, Precision precision, Recompute recompute, int zeroStage) {
    return new StepSettings(
        config,
        precision,
        recompute,
        LENGTH,
        new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
        zeroStage,
        LossScaler.Settings.DEFAULT,
        new StepSettings.AuxiliaryLosses(
            config.mtpModules(),
            config.mtpModules() == 0 ? 0 : 0.3,
            config.moe() == null ? 0 : 0.01,
            true,
            config.moe() == null ? 0 : 0.001));
  }

  /** Random tokens for one of {@code ranks}, as many micro-batches of as many sequences. */
  public static StepBatch batch(
      ModelConfig config, int rank, int ranks, int microBatches, int sequences, long seed) {
    List<MicroBatch> all = new ArrayList<>();
    for (int i = 0; i < microBatches; i++) {
      all.add(
          MicroBatch.random(sequences, LENGTH, config.vocabSize(), 1000 * seed + 100L * rank + i));
    }
    long targets = (long) ranks * microBatches * sequences * LENGTH;
    return new StepBatch(all, targets, DataState.START, DataState.START);
  }
}
