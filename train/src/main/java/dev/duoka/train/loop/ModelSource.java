package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.train.config.ModelSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The architecture that a run file asks for: a preset or a folder, with overrides laid over it. */
final class ModelSource {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private ModelSource() {}

  /** The architecture with the overrides, whose keys are not checked here. */
  static ModelConfig config(ModelSettings settings) {
    ObjectNode merged = MAPPER.createObjectNode();
    merged.setAll((ObjectNode) json(settings));
    for (Map.Entry<String, @Nullable Object> override : settings.overrides().entrySet()) {
      merged.set(override.getKey(), MAPPER.valueToTree(override.getValue()));
    }
    return ModelConfigReader.read(merged, name(settings) + " with model.overrides");
  }

  /** The architecture without the overrides. */
  static ModelConfig base(ModelSettings settings) {
    return ModelConfigReader.read(json(settings), name(settings));
  }

  /** A misspelt key would be ignored by every reader of {@code config.json}; here it is refused. */
  static String requireKnown(String key, ModelSettings settings) {
    TreeSet<String> known = new TreeSet<>(json(settings).propertyNames());
    known.addAll(ModelConfigWriter.json(base(settings)).propertyNames());
    if (!known.contains(key)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "model.overrides names '" + key + "', which " + name(settings) + " does not have",
          NearestName.hint(key, known));
    }
    return key;
  }

  private static String name(ModelSettings settings) {
    return settings
        .preset()
        .map(name -> "preset " + name)
        .orElseGet(() -> settings.path().map(Path::toString).orElse("model"));
  }

  private static JsonNode json(ModelSettings settings) {
    if (settings.preset().isPresent()) {
      return Presets.json(settings.preset().get());
    }
    Path path =
        settings
            .path()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.CONFIG, "the run file names no model", "Set model.preset"));
    Path file = Files.isDirectory(path) ? path.resolve(ModelConfigReader.FILE_NAME) : path;
    return Json.parse(file, ErrorCode.CONFIG);
  }
}
