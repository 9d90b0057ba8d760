package dev.duoka.train.preference;

import dev.duoka.base.Progress;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.train.checkpoint.BaseWeights;
import dev.duoka.train.config.AdapterSettings;
import dev.duoka.train.config.PreferenceSettings;
import dev.duoka.train.config.RunConfig;
import java.nio.file.Path;
import java.util.Optional;

/** Which model a run's reference is, and how it is computed. */
public final class ReferenceModel {
  private ReferenceModel() {}

  /**
   * A name that two runs share only where their references give the same log-probabilities to the
   * same sequences: of weights, architecture, arithmetic, mesh and devices. Reads all weight files.
   *
   * @param model what is trained
   * @param devices what it is computed on
   * @param progress hears that files are read
   */
  public static String name(
      RunConfig config, ModelConfig model, String devices, Progress progress) {
    StringBuilder name = new StringBuilder();
    name.append(ModelConfigWriter.json(model))
        .append('\n')
        .append(weights(config, progress))
        .append('\n')
        .append(config.layout())
        .append(config.parallel())
        .append('\n')
        .append(devices)
        .append(config.training().deterministic());
    if (reference(config) == PreferenceSettings.Reference.START) {
      name.append('\n').append(adapter(config));
    }
    return name.toString();
  }

  private static PreferenceSettings.Reference reference(RunConfig config) {
    return config.preference().orElseThrow().reference();
  }

  private static String weights(RunConfig config, Progress progress) {
    Optional<Path> folder = config.model().path().filter(_ -> config.model().loadWeights());
    String drawn = "seed " + config.training().seed() + ", way " + WeightInitializer.WAY;
    if (folder.isEmpty()) {
      return drawn;
    }
    progress.reached("hashing the reference's weights", 0, 0);
    return BaseWeights.hash(folder.get()) + " and " + drawn;
  }

  /** A new adapter adds nothing at the start, but its magnitudes may round differently. */
  private static String adapter(RunConfig config) {
    Optional<Path> folder = config.adapter().flatMap(AdapterSettings::path);
    if (folder.isEmpty()) {
      return config.adapter().map(it -> it.config().toString()).orElse("no adapter");
    }
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder.get(), AdapterFile.FILE_NAME)) {
      return config.adapter().orElseThrow().config() + BaseWeights.hash(weights);
    }
  }
}
