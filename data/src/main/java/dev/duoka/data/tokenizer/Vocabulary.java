package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The tokens of a model and their ids, both ways. */
final class Vocabulary {
  /** Ids are smaller; the largest vocabularies have a quarter of a million. */
  static final int ID_LIMIT = 1 << 22;

  private final Map<String, Integer> ids;
  private final @Nullable String[] tokens;

  private Vocabulary(Map<String, Integer> ids, @Nullable String[] tokens) {
    this.ids = ids;
    this.tokens = tokens;
  }

  /** Reads the object of token to id. */
  static Vocabulary read(JsonField field) {
    if (!field.node().isObject()) {
      throw field.error("should be an object of token to id");
    }
    Map<String, Integer> ids = HashMap.newHashMap(field.node().size());
    int size = 0;
    for (Map.Entry<String, JsonNode> entry : field.node().properties()) {
      JsonNode value = entry.getValue();
      if (!value.canConvertToInt() || value.intValue() < 0 || value.intValue() >= ID_LIMIT) {
        throw field.error(
            "gives the token '"
                + entry.getKey()
                + "' the id "
                + value
                + "; ids go from 0 to "
                + (ID_LIMIT - 1));
      }
      ids.put(entry.getKey(), value.intValue());
      size = Math.max(size, value.intValue() + 1);
    }
    @Nullable String[] tokens = new @Nullable String[size];
    ids.forEach((token, id) -> tokens[id] = token);
    return new Vocabulary(ids, tokens);
  }

  /** A token id: small enough that a table over all ids is no danger to memory. */
  static int tokenId(JsonField field) {
    int id = field.integer();
    if (id < 0 || id >= ID_LIMIT) {
      throw field.error("is the id " + id + "; ids go from 0 to " + (ID_LIMIT - 1));
    }
    return id;
  }

  /** The token's id, or {@link Tokenizer#NONE}. */
  int id(String token) {
    return ids.getOrDefault(token, Tokenizer.NONE);
  }

  /** The token; null for an id that none has. */
  @Nullable String token(int id) {
    return id < tokens.length ? tokens[id] : null;
  }

  /** One more than the largest id. */
  int size() {
    return tokens.length;
  }

  /** The ids of {@code <0x00>} to {@code <0xFF>}; NONE for those that are missing. */
  int[] byteTokens() {
    int[] bytes = new int[256];
    Arrays.setAll(bytes, octet -> id(String.format("<0x%02X>", octet)));
    return bytes;
  }

  Iterable<Map.Entry<String, Integer>> entries() {
    return ids.entrySet();
  }
}
