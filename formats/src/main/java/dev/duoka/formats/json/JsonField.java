package dev.duoka.formats.json;

import dev.duoka.base.DuokaException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A value in a JSON document together with its place, read as the type that is wanted. A wrong type
 * is an error that names the document, the place and the value.
 *
 * @param source the document
 * @param place the way to the value, such as {@code pre_tokenizer.pretokenizers[1]}; empty at the
 *     root
 */
public record JsonField(JsonNode node, JsonSource source, String place) {
  /** The root of a document. */
  public static JsonField root(JsonNode node, JsonSource source) {
    return new JsonField(node, source, "");
  }

  /** An error about this value, with the document's remedy. */
  public DuokaException error(String problem) {
    return source.error(place.isEmpty() ? problem : place + " " + problem, source.remedy());
  }

  /** An error about this value, or about what lies under it, in its own words. */
  public DuokaException error(String problem, String remedy) {
    return source.error(problem, remedy);
  }

  /** The field of that name; null if it is missing or null. */
  public @Nullable JsonField optional(String name) {
    if (!node.isObject()) {
      throw wrongType("an object");
    }
    JsonNode child = node.get(name);
    return child == null || child.isNull() ? null : new JsonField(child, source, placeOf(name));
  }

  /** The field of that name. */
  public JsonField required(String name) {
    JsonField field = optional(name);
    if (field == null) {
      throw source.error(
          "field '" + placeOf(name) + "' is missing", "Add it, or copy the file again.");
    }
    return field;
  }

  /** A string. */
  public String string() {
    if (!node.isString()) {
      throw wrongType("a string");
    }
    return node.stringValue();
  }

  /** True or false. */
  public boolean flag() {
    if (!node.isBoolean()) {
      throw wrongType("true or false");
    }
    return node.booleanValue();
  }

  /** The field of that name, or the default. */
  public boolean flag(String name, boolean absent) {
    JsonField field = optional(name);
    return field == null ? absent : field.flag();
  }

  /** A whole number that fits an int. */
  public int integer() {
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw wrongType("a whole number");
    }
    return node.intValue();
  }

  /** A number. */
  public double number() {
    if (!node.isNumber()) {
      throw wrongType("a number");
    }
    return node.asDouble();
  }

  /** This value, which must be an object. */
  JsonField object() {
    if (!node.isObject()) {
      throw wrongType("an object");
    }
    return this;
  }

  /** What {@code read} makes of each element of a list. */
  public <T> List<T> each(Function<JsonField, T> read) {
    return each("a list", read);
  }

  /**
   * As {@link #each(Function)}.
   *
   * @param expected what an error says that this must be
   */
  <T> List<T> each(String expected, Function<JsonField, T> read) {
    if (!node.isArray()) {
      throw wrongType(expected);
    }
    List<T> values = new ArrayList<>(node.size());
    for (int i = 0; i < node.size(); i++) {
      values.add(read.apply(new JsonField(node.get(i), source, place + "[" + i + "]")));
    }
    return values;
  }

  /** The place of a field of this object. */
  String placeOf(String name) {
    return place.isEmpty() ? name : place + "." + name;
  }

  /** The value as an error shows it. */
  static String shown(JsonNode value) {
    String text = value.toString();
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }

  private DuokaException wrongType(String expected) {
    String where = place.isEmpty() ? "its root" : "field '" + place + "'";
    return source.error(where + " is " + shown(node), "It must be " + expected + ".");
  }
}
