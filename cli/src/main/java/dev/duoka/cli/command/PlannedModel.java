package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.planner.shape.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The model that {@code --model} names: a preset, or a folder with a {@code config.json}.
 *
 * @param name what reports call it
 * @param folder its folder; empty for a preset
 * @param shape its shape
 */
record PlannedModel(String name, Optional<Path> folder, ModelShape shape) {
  /** The same with another config. */
  PlannedModel changed(UnaryOperator<ModelConfig> change) {
    ModelConfig config = change.apply(shape.config());
    return config.equals(shape.config())
        ? this
        : new PlannedModel(name, folder, ModelShape.of(config));
  }

  static PlannedModel of(String text) {
    String name = text.strip();
    if (Presets.names().contains(name)) {
      return new PlannedModel(name, Optional.empty(), ModelShape.of(Presets.named(name)));
    }
    if (name.isEmpty() || name.indexOf('\0') >= 0 || !Files.exists(Path.of(name))) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "--model '" + name + "' is neither a preset nor a folder with a config.json",
          NearestName.hint(name, Presets.names()));
    }
    Path path = Path.of(name);
    ModelShape shape = ModelShape.of(ModelConfigReader.read(path));
    Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
    return new PlannedModel(name, Optional.of(folder == null ? path : folder), shape);
  }
}
