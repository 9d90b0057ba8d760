package dev.duoka.formats.modelconfig;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Model configs by name: DeepSeek's published models, and tiny ones over bytes for tests and first
 * steps. Each is a {@code config.json} beside this class, read as any other.
 */
public final class Presets {
  private static final List<String> NAMES =
      List.of(
          "deepseek-llm-7b",
          "deepseek-llm-67b",
          "deepseek-moe-16b",
          "deepseek-coder-1.3b",
          "deepseek-coder-6.7b",
          "deepseek-coder-33b",
          "deepseek-v2-lite",
          "deepseek-v2",
          "deepseek-v3",
          "deepseek-r1-distill-qwen-1.5b",
          "deepseek-r1-distill-qwen-7b",
          "deepseek-r1-distill-qwen-14b",
          "deepseek-r1-distill-qwen-32b",
          "deepseek-r1-distill-llama-8b",
          "deepseek-r1-distill-llama-70b",
          "tiny-llama",
          "tiny-moe",
          "tiny-v2",
          "tiny-v3");

  private Presets() {}

  /** The names of all presets, published models first. */
  public static List<String> names() {
    return NAMES;
  }

  /** The config of a preset; an error with the nearest name where there is none. */
  public static ModelConfig named(String name) {
    return ModelConfigReader.read(json(name), "preset " + name);
  }

  /** A preset in the form of Hugging Face's {@code config.json}. */
  public static JsonNode json(String name) {
    if (!NAMES.contains(name)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "there is no model preset '" + name + "'",
          NearestName.of(name, NAMES).map(near -> "Did you mean '" + near + "'? ").orElse("")
              + "Presets: "
              + String.join(", ", NAMES)
              + ".");
    }
    String resource = "presets/" + name + ".json";
    try (InputStream in = Presets.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("resource " + resource + " is missing");
      }
      return Json.parse(in.readAllBytes(), "preset " + name, ErrorCode.CONFIG);
    } catch (IOException e) {
      throw new IllegalStateException("resource " + resource + " is unreadable", e);
    }
  }
}
