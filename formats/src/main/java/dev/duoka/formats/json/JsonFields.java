package dev.duoka.formats.json;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * The fields of a JSON object, read by name and type.
 *
 * <p>A field that is absent and one that is {@code null} are the same here, save for {@link
 * #isPresent}. A wrong type is an error that names the file, the field and the value.
 */
public final class JsonFields {
  private final JsonNode node;
  private final String source;
  private final String path;
  private final ErrorCode code;

  private JsonFields(JsonNode node, String source, String path, ErrorCode code) {
    this.node = node;
    this.source = source;
    this.path = path;
    this.code = code;
  }

  /**
   * The fields of a document's root.
   *
   * @param source what error messages call the document
   * @param code what kind of error a wrong field is
   */
  public static JsonFields of(JsonNode root, String source, ErrorCode code) {
    if (!root.isObject()) {
      throw new DuokaException(
          code,
          "cannot read " + source + ": it holds " + shown(root) + ", not a JSON object",
          "Check that it is the right file.");
    }
    return new JsonFields(root, source, "", code);
  }

  /** The document's name in error messages. */
  public String source() {
    return source;
  }

  /** The names of all fields, in the order of the document. */
  public Collection<String> names() {
    return node.propertyNames();
  }

  /** Whether the field is there, be it {@code null}. */
  public boolean isPresent(String name) {
    return node.has(name);
  }

  /** The field's own node; empty where it is absent or null. */
  public Optional<JsonNode> node(String name) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  /** A whole number that fits an int. */
  public int integer(String name) {
    return toInt(name, required(name));
  }

  /** A whole number that fits an int, or the default. */
  public int integer(String name, int absent) {
    return node(name).map(value -> toInt(name, value)).orElse(absent);
  }

  /** A number, or the default. */
  public double number(String name, double absent) {
    return node(name).map(value -> toDouble(name, value)).orElse(absent);
  }

  /** A number. */
  public double number(String name) {
    return toDouble(name, required(name));
  }

  /** True or false, or the default. */
  public boolean flag(String name, boolean absent) {
    return node(name)
        .map(
            value -> {
              if (!value.isBoolean()) {
                throw wrongType(name, value, "true or false");
              }
              return value.booleanValue();
            })
        .orElse(absent);
  }

  /** A string; empty where it is absent. */
  public Optional<String> text(String name) {
    return node(name).map(value -> toText(name, value));
  }

  /** An object; empty where it is absent. */
  public Optional<JsonFields> object(String name) {
    return node(name)
        .map(
            value -> {
              if (!value.isObject()) {
                throw wrongType(name, value, "an object");
              }
              return new JsonFields(value, source, path + name + ".", code);
            });
  }

  /** A list of objects; an empty list where it is absent. */
  public List<JsonFields> objects(String name) {
    Optional<JsonNode> array = node(name);
    if (array.isEmpty()) {
      return List.of();
    }
    if (!array.get().isArray()) {
      throw wrongType(name, array.get(), "a list of objects");
    }
    List<JsonFields> objects = new ArrayList<>();
    for (JsonNode value : array.get()) {
      if (!value.isObject()) {
        throw wrongType(name, value, "an object");
      }
      objects.add(new JsonFields(value, source, path + name + "[" + objects.size() + "].", code));
    }
    return List.copyOf(objects);
  }

  /** A list of strings; an empty list where it is absent. */
  public List<String> texts(String name) {
    Optional<JsonNode> array = node(name);
    if (array.isEmpty()) {
      return List.of();
    }
    if (!array.get().isArray()) {
      throw wrongType(name, array.get(), "a list of strings");
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode value : array.get()) {
      texts.add(toText(name, value));
    }
    return List.copyOf(texts);
  }

  /** An error about this object: {@code cannot read SOURCE: PROBLEM. REMEDY}. */
  public DuokaException error(String problem, String remedy) {
    return new DuokaException(code, "cannot read " + source + ": " + problem, remedy);
  }

  private JsonNode required(String name) {
    return node(name)
        .orElseThrow(
            () ->
                error("field '" + path + name + "' is missing", "Add it, or copy the file again."));
  }

  private int toInt(String name, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrongType(name, value, "a whole number");
    }
    return value.intValue();
  }

  private double toDouble(String name, JsonNode value) {
    if (!value.isNumber()) {
      throw wrongType(name, value, "a number");
    }
    return value.asDouble();
  }

  private String toText(String name, JsonNode value) {
    if (!value.isString()) {
      throw wrongType(name, value, "a string");
    }
    return value.stringValue();
  }

  private DuokaException wrongType(String name, JsonNode value, String expected) {
    return error("field '" + path + name + "' is " + shown(value), "It must be " + expected + ".");
  }

  private static String shown(JsonNode value) {
    String text = value.toString();
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }
}
