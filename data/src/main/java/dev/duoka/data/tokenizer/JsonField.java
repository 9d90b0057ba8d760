package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A value in a tokenizer file together with its place, so that errors can name it.
 *
 * @param file the file, for errors
 * @param place the way to the value, such as {@code pre_tokenizer.pretokenizers[1]}; empty at the
 *     root
 */
record JsonField(JsonNode node, String file, String place) {
  private static final String REMEDY =
      "Use the tokenizer.json that belongs to the model, as written by the tokenizers library.";

  DuokaException error(String problem) {
    String at = place.isEmpty() ? "" : place + " ";
    return new DuokaException(
        ErrorCode.FORMAT, "cannot use tokenizer " + file + ": " + at + problem, REMEDY);
  }

  /** The error for a kind that this program does not implement. */
  DuokaException unsupported(String kind, String supported) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot use tokenizer " + file + ": " + place + " is of the kind '" + kind + "'",
        "Supported kinds: " + supported + ".");
  }

  /** The field of that name; null if it is missing or null. */
  @Nullable JsonField optional(String name) {
    if (!node.isObject()) {
      throw error("should be an object but is " + kind());
    }
    JsonNode child = node.get(name);
    return child == null || child.isNull()
        ? null
        : new JsonField(child, file, place.isEmpty() ? name : place + "." + name);
  }

  JsonField required(String name) {
    JsonField field = optional(name);
    if (field == null) {
      throw error("has no field '" + name + "'");
    }
    return field;
  }

  String string() {
    if (!node.isString()) {
      throw error("should be a string but is " + kind());
    }
    return node.stringValue();
  }

  boolean flag() {
    if (!node.isBoolean()) {
      throw error("should be true or false but is " + kind());
    }
    return node.booleanValue();
  }

  boolean flag(String name, boolean fallback) {
    JsonField field = optional(name);
    return field == null ? fallback : field.flag();
  }

  int integer() {
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw error("should be a whole number but is " + kind());
    }
    return node.intValue();
  }

  /** A token id: small enough that a table over all ids is no danger to memory. */
  int tokenId() {
    int id = integer();
    if (id < 0 || id >= Vocabulary.ID_LIMIT) {
      throw error("is the id " + id + "; ids go from 0 to " + (Vocabulary.ID_LIMIT - 1));
    }
    return id;
  }

  <T> List<T> each(Function<JsonField, T> read) {
    if (!node.isArray()) {
      throw error("should be an array but is " + kind());
    }
    List<T> values = new ArrayList<>(node.size());
    for (int i = 0; i < node.size(); i++) {
      values.add(read.apply(new JsonField(node.get(i), file, place + "[" + i + "]")));
    }
    return values;
  }

  private String kind() {
    String text = node.toString();
    return node.getNodeType() + " " + (text.length() > 40 ? text.substring(0, 40) + "…" : text);
  }
}
