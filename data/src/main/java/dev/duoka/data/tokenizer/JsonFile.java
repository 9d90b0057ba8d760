package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonField;
import dev.duoka.formats.json.JsonSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the files of a tokenizer whole. */
final class JsonFile {
  private static final String REMEDY =
      "Use the tokenizer.json that belongs to the model, as written by the tokenizers library.";

  private JsonFile() {}

  static String text(Path path) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path));
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read tokenizer " + path + ": there is no such file",
          "Give the path of a tokenizer.json, of the folder that holds it, or the word bytes.",
          e);
    } catch (CharacterCodingException e) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read tokenizer " + path + ": it is not UTF-8",
          "Copy the file again.",
          e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read tokenizer " + path + ": " + e.getMessage(), "", e);
    }
  }

  /**
   * The root of a tokenizer's file.
   *
   * @param file the name for errors
   */
  static JsonField parse(String json, String file) {
    return JsonField.root(
        Json.parse(json.getBytes(StandardCharsets.UTF_8), "tokenizer " + file, ErrorCode.FORMAT),
        new JsonSource(file, "cannot use tokenizer " + file, ErrorCode.FORMAT, REMEDY));
  }

  /** The error for a kind that this program does not implement. */
  static DuokaException unsupported(JsonField field, String kind, String supported) {
    return field.error(
        field.place() + " is of the kind '" + kind + "'", "Supported kinds: " + supported + ".");
  }
}
