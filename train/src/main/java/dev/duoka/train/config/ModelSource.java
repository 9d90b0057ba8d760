package dev.duoka.train.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.modelconfig.Presets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The architecture that a run file asks for: a preset or a folder, with overrides laid over it. */
public final class ModelSource {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private ModelSource() {}

  /** The model of a run, with its adapter and what is frozen. */
  public static ModelConfig config(RunConfig run) {
    return trained(run, config(run.model()));
  }

  /**
   * A run's model with its adapter and what is frozen.
   *
   * @throws IllegalArgumentException when a pattern of names is none
   */
  public static ModelConfig trained(RunConfig run, ModelConfig model) {
    return run.adapter()
        .map(adapter -> model.with(adapter.beside(model.tieEmbeddings())))
        .orElseGet(() -> model.freezing(run.training().frozen()));
  }

  /** The architecture with the overrides, whose keys are not checked here. */
  public static ModelConfig config(ModelSettings settings) {
    ObjectNode merged = MAPPER.createObjectNode();
    merged.setAll((ObjectNode) json(settings));
    for (Map.Entry<String, @Nullable Object> override : settings.overrides().entrySet()) {
      merged.set(override.getKey(), MAPPER.valueToTree(override.getValue()));
    }
    return ModelConfigReader.read(merged, name(settings) + " with model.overrides");
  }

  /**
   * The architecture by a preset's name or a folder with {@code config.json}.
   *
   * @param changes fields of {@code config.json} and their values as text
   */
  public static ModelConfig config(String name, Map<String, String> changes) {
    ObjectNode merged = MAPPER.createObjectNode();
    boolean folder = Files.exists(Path.of(name));
    JsonNode base =
        folder
            ? Json.parse(
                Files.isDirectory(Path.of(name)) ? Path.of(name, "config.json") : Path.of(name),
                ErrorCode.CONFIG)
            : Presets.json(name);
    merged.setAll((ObjectNode) base);
    changes.forEach(
        (key, value) -> {
          checkKey(key, base, name);
          merged.set(key, Json.parse(value.getBytes(UTF_8), key + "=" + value, ErrorCode.USAGE));
        });
    return ModelConfigReader.read(merged, name);
  }

  /** The architecture without the overrides. */
  public static ModelConfig base(ModelSettings settings) {
    return ModelConfigReader.read(json(settings), name(settings));
  }

  /** Refuses a key of the overrides that the architecture does not have. */
  public static String requireKnown(String key, ModelSettings settings) {
    checkKey(key, json(settings), name(settings));
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
