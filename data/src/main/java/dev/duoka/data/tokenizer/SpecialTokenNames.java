package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens begin, end and fill up a text, as the files beside {@code tokenizer.json} say.
 *
 * @param addBos whether a prompt begins with the bos token; null where the files do not say
 * @param addEos the same for the eos token at the end
 */
record SpecialTokenNames(
    @Nullable String bos,
    @Nullable String eos,
    @Nullable String pad,
    @Nullable Boolean addBos,
    @Nullable Boolean addEos) {
  static final SpecialTokenNames UNKNOWN = new SpecialTokenNames(null, null, null, null, null);

  /** Of {@code tokenizer_config.json}, and for what it lacks of {@code special_tokens_map.json}. */
  static SpecialTokenNames beside(Path tokenizerJson) {
    List<JsonField> files = new ArrayList<>();
    for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Path path = tokenizerJson.resolveSibling(name);
      if (Files.isRegularFile(path)) {
        files.add(JsonFile.parse(JsonFile.text(path), path.toString()));
      }
    }
    // Only the Llama classes build their prompt from these two flags; the others ignore them.
    List<JsonField> llama = files.stream().filter(SpecialTokenNames::isLlama).toList();
    return new SpecialTokenNames(
        name(files, "bos_token"),
        name(files, "eos_token"),
        name(files, "pad_token"),
        flag(llama, "add_bos_token"),
        flag(llama, "add_eos_token"));
  }

  private static boolean isLlama(JsonField file) {
    JsonField type = file.optional("tokenizer_class");
    return type != null && type.string().startsWith("Llama");
  }

  /** A plain string, or an object with the string as {@code content}. */
  private static @Nullable String name(List<JsonField> files, String key) {
    for (JsonField file : files) {
      JsonField field = file.optional(key);
      if (field != null) {
        return field.node().isObject() ? field.required("content").string() : field.string();
      }
    }
    return null;
  }

  private static @Nullable Boolean flag(List<JsonField> files, String key) {
    for (JsonField file : files) {
      JsonField field = file.optional(key);
      if (field != null) {
        return field.flag();
      }
    }
    return null;
  }
}
