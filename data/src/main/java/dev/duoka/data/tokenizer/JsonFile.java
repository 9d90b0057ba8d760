package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Reads JSON files whole. */
final class JsonFile {
  private static final JsonMapper MAPPER = new JsonMapper();

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
   * @param file the name for errors
   */
  static JsonField parse(String json, String file) {
    try {
      return new JsonField(MAPPER.readTree(json), file, "");
    } catch (JacksonException e) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read tokenizer "
              + file
              + ": it is not valid JSON ("
              + Json.reason(e)
              + ", line "
              + line(e)
              + ")",
          "Copy the file again; it may be cut off.",
          e);
    }
  }

  private static String line(JacksonException e) {
    return e.getLocation() == null ? "unknown" : String.valueOf(e.getLocation().getLineNr());
  }
}
