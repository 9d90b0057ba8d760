package dev.duoka.verify.parity;

import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.WeightReader;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a comparison starts: a model's folder, or an adapter's in PEFT's form and the folder of its
 * base, whose path may be relative to the adapter's.
 */
final class StartingWeights implements AutoCloseable {
  private final ModelConfig config;
  private final SafetensorsFolder base;
  private final @Nullable SafetensorsFolder adapter;

  private StartingWeights(
      ModelConfig config, SafetensorsFolder base, @Nullable SafetensorsFolder adapter) {
    this.config = config;
    this.base = base;
    this.adapter = adapter;
  }

  static StartingWeights open(Path folder) {
    if (!AdapterConfigFile.isIn(folder)) {
      return new StartingWeights(
          ModelConfigReader.read(folder), SafetensorsFolder.open(folder), null);
    }
    AdapterConfigFile file = AdapterConfigFile.read(folder);
    Path base = file.baseFolder(folder);
    ModelConfig config = ModelConfigReader.read(base).with(file.adapter());
    SafetensorsFolder weights = SafetensorsFolder.open(base);
    boolean opened = false;
    try {
      SafetensorsFolder adapter = SafetensorsFolder.open(folder, AdapterFile.FILE_NAME);
      opened = true;
      return new StartingWeights(config, weights, adapter);
    } finally {
      if (!opened) {
        weights.close();
      }
    }
  }

  /** The model, with the adapter. */
  ModelConfig config() {
    return config;
  }

  /** Fills what is here of a model. */
  void read(LanguageModel model, boolean whole) {
    WeightReader.readAll(base, model.baseWeights(), model.buffers());
    if (adapter != null) {
      AdapterFile.read(adapter, model.weights(), whole);
    }
  }

  @Override
  public void close() {
    base.close();
    if (adapter != null) {
      adapter.close();
    }
  }
}
