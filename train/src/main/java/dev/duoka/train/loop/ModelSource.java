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

  static ModelConfig config(ModelSettings settings) {
    String source =
        settings
            .preset()
            .map(name -> "preset " + name)
            .orElseGet(() -> settings.path().map(Path::toString).orElse("model"));
    JsonNode base = base(settings);
    if (settings.overrides().isEmpty()) {
      return ModelConfigReader.read(base, source);
    }
    ObjectNode merged = MAPPER.createObjectNode();
    merged.setAll((ObjectNode) base);
    for (Map.Entry<String, @Nullable Object> override : settings.overrides().entrySet()) {
      checkKey(override.getKey(), base, source);
      merged.set(override.getKey(), MAPPER.valueToTree(override.getValue()));
    }
    return ModelConfigReader.read(merged, source + " with model.overrides");
  }

  private static JsonNode base(ModelSettings settings) {
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
    Path file = Files.isDirectory(path) ? path.resolve("config.json") : path;
    return Json.parse(file, ErrorCode.CONFIG);
  }

  /** A misspelt key would be ignored by every reader of {@code config.json}; here it is refused. */
  private static void checkKey(String key, JsonNode base, String source) {
    TreeSet<String> known = new TreeSet<>(base.propertyNames());
    known.addAll(ModelConfigWriter.json(ModelConfigReader.read(base, source)).propertyNames());
    if (!known.contains(key)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "model.overrides names '" + key + "', which " + source + " does not have",
          NearestName.hint(key, known));
    }
  }
}
