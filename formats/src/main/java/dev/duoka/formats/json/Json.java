package dev.duoka.formats.json;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Parses and prints JSON.
 *
 * <p>Duplicate names, more than {@value #MAX_DEPTH} levels, files above 256 MiB and anything after
 * the value are refused; every refusal names the source, the line and the column.
 */
public final class Json {
  /** Levels of nesting; no format read here needs more than a dozen. */
  public static final int MAX_DEPTH = 64;

  /** Bytes of a file: the largest real one, a tokenizer, has about 10 MB. */
  public static final long MAX_BYTES = 256L << 20;

  /** How the parser says that a setting of its own would take what JSON does not have. */
  private static final Pattern SETTING = Pattern.compile(":? \\(?enable `[^`]*` to allow\\)?");

  /** How the parser names another place in its message; it knows it for text, not for bytes. */
  private static final Pattern UNKNOWN_PLACE =
      Pattern.compile(" \\(start marker at \\[Source: [^\\]]*#UNKNOWN\\]\\)");

  private static final Pattern PLACE = Pattern.compile("\\[Source: [^\\]]*?; ([^;\\]]*)\\]");

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxDocumentLength(MAX_BYTES)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .build();

  private Json() {}

  /**
   * Parses a file.
   *
   * @param code what kind of error a malformed file is
   */
  public static JsonNode parse(Path file, ErrorCode code) {
    byte[] content;
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new DuokaException(
            code,
            "cannot read " + file + ": it has " + ByteSize.text(size),
            "JSON files of at most "
                + ByteSize.text(MAX_BYTES)
                + " are read; is it the right one?");
      }
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": there is no such file", "Check the path.", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + e, "Check that it is a readable file.", e);
    }
    return parse(content, file.toString(), code);
  }

  /**
   * Parses UTF-8 text in memory.
   *
   * @param source what error messages call it
   * @param code what kind of error malformed text is
   */
  public static JsonNode parse(byte[] content, String source, ErrorCode code) {
    try {
      JsonNode node = MAPPER.readTree(content);
      if (node.isMissingNode()) {
        throw new DuokaException(
            code, "cannot read " + source + ": it is empty", "Copy the file again.");
      }
      return node;
    } catch (JacksonException e) {
      TokenStreamLocation location = e.getLocation();
      String where =
          location == null || location.getLineNr() < 1
              ? ""
              : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
      throw new DuokaException(
          code,
          "cannot read " + source + ": malformed JSON" + where + ": " + reason(e),
          "Correct that place, or copy the file again if it was never edited.",
          e);
    }
  }

  /** What is wrong with malformed JSON, without what the parser says of its own settings. */
  public static String reason(JacksonException e) {
    String message = String.valueOf(e.getOriginalMessage());
    String own = SETTING.matcher(UNKNOWN_PLACE.matcher(message).replaceAll("")).replaceAll("");
    return PLACE.matcher(own).replaceAll("$1");
  }

  /** An empty object to fill. */
  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** Puts a number, or null for NaN and infinities, which JSON does not have. */
  public static void putNumber(ObjectNode object, String name, double value) {
    if (Double.isFinite(value)) {
      object.put(name, value);
    } else {
      object.putNull(name);
    }
  }

  /** The value on one line, without spaces and without a final line break. */
  public static String line(JsonNode value) {
    return MAPPER.writeValueAsString(value);
  }

  /** The value indented over lines, with a final line break. */
  public static String pretty(JsonNode value) {
    return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n";
  }
}
