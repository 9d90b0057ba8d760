package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** An array of JSON objects, or objects one after another, read one at a time. */
final class JsonReader implements DocumentReader {
  private static final JsonMapper MAPPER = JsonMapper.builder(JsonRecords.FACTORY).build();

  private final SourceFile file;
  private final ReadOptions options;
  private final JsonParser parser;
  private long record;
  private boolean inArray;

  JsonReader(SourceFile file, ReadOptions options) throws IOException {
    this.file = file;
    this.options = options;
    InputStream stream = options.open(file);
    this.parser = MAPPER.createParser(new InputStreamReader(stream, Utf8.strictDecoder()));
  }

  @Override
  public @Nullable PendingDocument next() {
    try {
      JsonToken token = parser.nextToken();
      while (token == (inArray ? JsonToken.END_ARRAY : JsonToken.START_ARRAY)) {
        inArray = !inArray;
        token = parser.nextToken();
      }
      if (token == null) {
        return null;
      }
      record++;
      TokenStreamLocation start = parser.currentTokenLocation();
      JsonNode node = parser.readValueAsTree();
      String place = " record %d (line %d)".formatted(record, start.getLineNr());
      long bytes = parser.currentLocation().getCharOffset() - start.getCharOffset();
      return options.pending(
          file.id() + "#" + record,
          file.displayName() + place,
          bytes,
          () -> JsonRecords.text(file, place, node, options.content()));
    } catch (JacksonException e) {
      throw unreadable(e);
    }
  }

  private DuokaException unreadable(JacksonException e) {
    if (e.getCause() instanceof CharacterCodingException) {
      return badUtf8().refusal();
    }
    if (e.getCause() instanceof IOException io) {
      return SourceErrors.unreadable(file, io);
    }
    TokenStreamLocation place = e.getLocation();
    String where = place == null ? "" : " line " + place.getLineNr();
    return new DuokaException(
        ErrorCode.DATA,
        file.displayName() + where + " is not valid JSON: " + Json.reason(e),
        "Correct the file, or use format: jsonl if each line is a record of its own.",
        e);
  }

  private UnreadableDocumentException badUtf8() {
    try (InputStream again = options.open(file)) {
      return SourceErrors.badUtf8(file, "", Utf8.firstMalformed(again));
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    }
  }

  @Override
  public void close() {
    parser.close();
  }
}
