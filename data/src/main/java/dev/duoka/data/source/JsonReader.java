package dev.duoka.data.source;

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

  /** Whether the rest of the file cannot be read. */
  private boolean broken;

  JsonReader(SourceFile file, ReadOptions options) throws IOException {
    this.file = file;
    this.options = options;
    InputStream stream = options.open(file);
    this.parser = MAPPER.createParser(new InputStreamReader(stream, Utf8.strictDecoder()));
  }

  @Override
  public @Nullable PendingDocument next() {
    if (broken) {
      return null;
    }
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
      return rest(e);
    }
  }

  /** The rest of the file as one bad record: where the next one begins nobody can tell. */
  private PendingDocument rest(JacksonException e) {
    boolean badUtf8 = e.getCause() instanceof CharacterCodingException;
    if (!badUtf8 && e.getCause() instanceof IOException io) {
      throw SourceErrors.unreadable(file, io);
    }
    broken = true;
    TokenStreamLocation place = e.getLocation();
    String where = place == null ? "" : " line " + place.getLineNr();
    String reason = Json.reason(e);
    return options.pending(
        file.id() + "#" + (record + 1),
        file.displayName() + where,
        0,
        () -> {
          throw badUtf8
              ? badUtf8()
              : new UnreadableDocumentException(
                  SkipReason.BAD_JSON,
                  file.displayName()
                      + where
                      + " is not valid JSON, and nothing behind it can be read: "
                      + reason,
                  "Correct the file, use format: jsonl if each line is a record of its own, "
                      + SourceErrors.SKIP_REMEDY
                      + ".");
        });
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
