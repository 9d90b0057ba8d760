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
    Declared bos, Declared eos, Declared pad, @Nullable Boolean addBos, @Nullable Boolean addEos) {
  /**
   * What the files say of one token.
   *
   * @param isSaid whether they say anything of it; if not it may be guessed
   * @param name the token; null where they say that there is none
   */
  record Declared(boolean isSaid, @Nullable String name) {
    private static final Declared NOTHING = new Declared(false, null);
  }

  static final SpecialTokenNames UNKNOWN =
      new SpecialTokenNames(Declared.NOTHING, Declared.NOTHING, Declared.NOTHING, null, null);

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
        declared(files, "bos_token"),
        declared(files, "eos_token"),
        declared(files, "pad_token"),
        flag(llama, "add_bos_token"),
        flag(llama, "add_eos_token"));
  }

  private static boolean isLlama(JsonField file) {
    JsonField type = file.optional("tokenizer_class");
    return type != null && type.string().startsWith("Llama");
  }

  /** A plain string, an object with the string as {@code content}, or null for no such token. */
  private static Declared declared(List<JsonField> files, String key) {
    for (JsonField file : files) {
      JsonField field = file.optional(key);
      if (field != null) {
        return new Declared(
            true, field.node().isObject() ? field.required("content").string() : field.string());
      }
      if (file.node().has(key)) {
        return new Declared(true, null);
      }
    }
    return Declared.NOTHING;
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
