package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import tools.jackson.databind.JsonNode;

/** Reads the {@code model} of a tokenizer file. */
final class BpeReader {
  private BpeReader() {}

  static BpeModel read(JsonField model) {
    JsonField type = model.optional("type");
    if (type != null && !type.string().equals("BPE")) {
      throw JsonFile.unsupported(model, type.string(), "BPE");
    }
    for (String option : new String[] {"continuing_subword_prefix", "end_of_word_suffix"}) {
      JsonField value = model.optional(option);
      if (value != null && !value.string().isEmpty()) {
        throw value.error("is '" + value.string() + "', which is not supported");
      }
    }
    JsonField dropout = model.optional("dropout");
    if (dropout != null && dropout.node().asDouble(1) != 0) {
      throw dropout.error("should be null: the same text must always give the same tokens");
    }
    Vocabulary vocabulary = Vocabulary.read(model.required("vocab"));
    BpeOptions options =
        new BpeOptions(
            unknownId(model, vocabulary),
            model.flag("fuse_unk", false),
            model.flag("byte_fallback", false),
            model.flag("ignore_merges", false));
    return new BpeModel(vocabulary, merges(model.required("merges"), vocabulary), options);
  }

  private static int unknownId(JsonField model, Vocabulary vocabulary) {
    JsonField unknown = model.optional("unk_token");
    if (unknown == null) {
      return Tokenizer.NONE;
    }
    int id = vocabulary.id(unknown.string());
    if (id < 0) {
      throw unknown.error("is '" + unknown.string() + "', which the vocabulary does not have");
    }
    return id;
  }

  private static MergeTable merges(JsonField field, Vocabulary vocabulary) {
    JsonNode list = field.node();
    if (!list.isArray()) {
      throw field.error("should be an array");
    }
    MergeTable table = new MergeTable(list.size());
    for (int rank = 0; rank < list.size(); rank++) {
      String[] pair = pair(list.get(rank));
      if (pair.length != 2) {
        throw field.error("has at index " + rank + " " + list.get(rank) + " instead of two tokens");
      }
      int left = vocabulary.id(pair[0]);
      int right = vocabulary.id(pair[1]);
      int merged = vocabulary.id(pair[0] + pair[1]);
      if (left < 0 || right < 0 || merged < 0) {
        String missing = left < 0 ? pair[0] : right < 0 ? pair[1] : pair[0] + pair[1];
        throw field.error(
            "joins at index "
                + rank
                + " '"
                + pair[0]
                + "' and '"
                + pair[1]
                + "', but the vocabulary has no '"
                + missing
                + "'");
      }
      table.put(left, right, rank, merged);
    }
    return table;
  }

  /** {@code "a b"} in older files, {@code ["a", "b"]} in newer ones. */
  private static String[] pair(JsonNode merge) {
    if (merge.isString()) {
      return merge.stringValue().split(" ", -1);
    }
    if (merge.isArray()
        && merge.size() == 2
        && merge.get(0).isString()
        && merge.get(1).isString()) {
      return new String[] {merge.get(0).stringValue(), merge.get(1).stringValue()};
    }
    return new String[0];
  }
}
