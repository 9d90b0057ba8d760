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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads a YAML document whose root is a map, as the same tree that JSON gives, so that {@link
 * JsonFields} reads its fields. YAML 1.2 core schema: {@code no} and {@code on} are strings. Keys
 * must be strings; duplicate keys, anchors and tags are refused.
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
    List<String> problems = new ArrayList<>();
    Optional<YamlTree> root =
        YamlParser.document(
            source,
            text,
            (origin, problem, remedy) ->
                problems.add(origin + ": " + problem + (remedy.isEmpty() ? "" : ". " + remedy)));
    if (!problems.isEmpty() || root.isEmpty()) {
      throw malformed(source, String.join("; ", problems));
    }
    return JsonFields.of(node(root.get(), source), source, ErrorCode.CONFIG);
  }

  private static JsonNode node(YamlTree tree, String source) {
    return switch (tree) {
      case YamlTree.Mapping mapping -> {
        ObjectNode object = Json.object();
        mapping
            .entries()
            .forEach(
                (name, entry) -> {
                  if (entry.plain() && !YamlValues.isText(name)) {
                    throw malformed(
                        source, entry.origin() + ": the name " + name + " needs quotes");
                  }
                  object.set(name, node(entry.value(), source));
                });
        yield object;
      }
      case YamlTree.Sequence sequence -> {
        ArrayNode array = NODES.arrayNode();
        sequence.items().forEach(item -> array.add(node(item, source)));
        yield array;
      }
      case YamlTree.Scalar scalar -> scalar(YamlValues.value(scalar));
    };
  }

  private static JsonNode scalar(@Nullable Object value) {
    return switch (value) {
      case null -> NODES.nullNode();
      case Boolean flag -> NODES.booleanNode(flag);
      case Long number when number == number.intValue() -> NODES.numberNode(number.intValue());
      case Long number -> NODES.numberNode(number);
      case Double number -> NODES.numberNode(number);
      default -> NODES.stringNode(value.toString());
    };
  }

  private static DuokaException malformed(String source, String problem) {
    return new DuokaException(
        ErrorCode.CONFIG, "cannot read " + source + ": " + problem, "Correct that place.");
  }
}
