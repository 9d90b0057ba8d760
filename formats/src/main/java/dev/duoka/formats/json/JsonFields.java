package dev.duoka.formats.json;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
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
  private final JsonField object;

  private JsonFields(JsonField object) {
    this.object = object;
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
          "cannot read " + source + ": it holds " + JsonField.shown(root) + ", not a JSON object",
          "Check that it is the right file.");
    }
    return new JsonFields(JsonField.root(root, JsonSource.read(source, code)));
  }

  /** The document's name in error messages. */
  public String source() {
    return object.source().name();
  }

  /** The names of all fields, in the order of the document. */
  public Collection<String> names() {
    return object.node().propertyNames();
  }

  /** Whether the field is there, be it {@code null}. */
  public boolean isPresent(String name) {
    return object.node().has(name);
  }

  /** The field's own node; empty where it is absent or null. */
  public Optional<JsonNode> node(String name) {
    return field(name).map(JsonField::node);
  }

  /** A whole number that fits an int. */
  public int integer(String name) {
    return object.required(name).integer();
  }

  /** A whole number that fits an int, or the default. */
  public int integer(String name, int absent) {
    return field(name).map(JsonField::integer).orElse(absent);
  }

  /** A number, or the default. */
  public double number(String name, double absent) {
    return field(name).map(JsonField::number).orElse(absent);
  }

  /** A number. */
  public double number(String name) {
    return object.required(name).number();
  }

  /** True or false, or the default. */
  public boolean flag(String name, boolean absent) {
    return object.flag(name, absent);
  }

  /** A string; empty where it is absent. */
  public Optional<String> text(String name) {
    return field(name).map(JsonField::string);
  }

  /** An object; empty where it is absent. */
  public Optional<JsonFields> object(String name) {
    return field(name).map(value -> new JsonFields(value.object()));
  }

  /** A list of objects; an empty list where it is absent. */
  public List<JsonFields> objects(String name) {
    return field(name)
        .map(list -> list.each("a list of objects", each -> new JsonFields(each.object())))
        .orElse(List.of());
  }

  /** A list of strings; an empty list where it is absent. */
  public List<String> texts(String name) {
    return field(name)
        .map(list -> list.each("a list of strings", JsonField::string))
        .orElse(List.of());
  }

  /** An error about this object: {@code cannot read SOURCE: PROBLEM. REMEDY}. */
  public DuokaException error(String problem, String remedy) {
    return object.error(problem, remedy);
  }

  private Optional<JsonField> field(String name) {
    return Optional.ofNullable(object.optional(name));
  }
}
