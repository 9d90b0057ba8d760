package dev.duoka.formats.yaml;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads a YAML document whose root is a map, as the same tree that JSON gives, so that {@link
 * JsonFields} reads its fields. YAML 1.2 core schema: {@code no} and {@code on} are strings. Keys
 * must be strings; duplicate keys are refused.
 */
public final class YamlData {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private YamlData() {}

  /** The fields of a resource that belongs to the program: {@code name} beside {@code owner}. */
  public static JsonFields resource(Class<?> owner, String name) {
    try (InputStream stream = owner.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException("resource " + name + " is missing beside " + owner);
      }
      return parse(new String(stream.readAllBytes(), StandardCharsets.UTF_8), name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The fields of a user's file; a {@code CONFIG} error where it is not YAML. */
  public static JsonFields file(Path file) {
    try {
      return parse(Files.readString(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": there is no such file", "Check the path.", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + e, "Check that it is a text file.", e);
    }
  }

  /**
   * The fields of YAML text.
   *
   * @param source what error messages call it
   */
  public static JsonFields parse(String text, String source) {
    Object root;
    try {
      root = new Load(LoadSettings.builder().setLabel(source).build()).loadFromString(text);
    } catch (YamlEngineException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read " + source + ": " + e.getMessage(),
          "Correct that place.",
          e);
    }
    return JsonFields.of(node(root, source), source, ErrorCode.CONFIG);
  }

  private static JsonNode node(@Nullable Object value, String source) {
    return switch (value) {
      case null -> NODES.nullNode();
      case Map<?, ?> map -> {
        ObjectNode object = Json.object();
        map.forEach((key, entry) -> object.set(key(key, source), node(entry, source)));
        yield object;
      }
      case List<?> list -> {
        ArrayNode array = NODES.arrayNode();
        list.forEach(entry -> array.add(node(entry, source)));
        yield array;
      }
      case Boolean flag -> NODES.booleanNode(flag);
      case Integer number -> NODES.numberNode(number);
      case Long number -> NODES.numberNode(number);
      case Number number -> NODES.numberNode(number.doubleValue());
      default -> NODES.stringNode(value.toString());
    };
  }

  private static String key(@Nullable Object key, String source) {
    if (key instanceof String text) {
      return text;
    }
    throw new DuokaException(
        ErrorCode.CONFIG,
        "cannot read " + source + ": the key " + key + " is not a string",
        "Put it in quotes.");
  }
}
