package dev.duoka.train.generate;

import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.DataState;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointWriter;
import dev.duoka.train.checkpoint.RetentionPolicy;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.checkpoint.TrainingState;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** A run folder with one checkpoint of an untrained model over bytes. */
final class TinyRun {
  private TinyRun() {}

  /** A preset with weights so large that its choices are distinct, and a short context. */
  static ModelConfig config(String preset) {
    ObjectNode json = (ObjectNode) Presets.json(preset).deepCopy();
    json.put("initializer_range", 0.15);
    json.put("max_position_embeddings", 96);
    return ModelConfigReader.read(json, preset);
  }

  static LanguageModel model(ModelConfig config, long seed) {
    LanguageModel model =
        ModelFactory.create(
            config,
            new ModelFactory.Allocation(
                Dtype.FLOAT32, Device.CPU, true, config.maxPositions(), config.mtpModules()));
    WeightInitializer.initialize(model, seed);
    return model;
  }

  static void save(Path run, ModelConfig config, long seed) {
    SingleRank alone = new SingleRank();
    AdamWSettings settings = new AdamWSettings(0.9, 0.95, 1e-8, 0, 0);
    TrainingState state =
        new TrainingState(
            1, 1, DataState.START, new LossScaler.State(1, 0), seed, Map.of(), Map.of());
    try (CheckpointWriter writer =
            new CheckpointWriter(
                run, TokenizerFiles.of("bytes"), new RetentionPolicy(1, 0), TinyRun::refuse);
        LanguageModel model = model(config, seed);
        ShardedOptimizer optimizer = new ShardedOptimizer(model.parameters(), alone, settings, 0)) {
      writer.save(alone, model, optimizer, state);
    }
  }

  static void refuse(CheckpointEvent event) {
    if (!(event instanceof CheckpointEvent.Saved)) {
      throw new AssertionError(event.text());
    }
  }
}
