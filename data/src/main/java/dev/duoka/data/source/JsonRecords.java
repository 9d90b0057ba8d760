package dev.duoka.data.source;

import dev.duoka.formats.json.Json;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;

/** Takes the text of a document out of a JSON record. */
final class JsonRecords {
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          // A location that quotes the source would put training text into messages and logs.
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .build();

  private JsonRecords() {}

  /** The text of one record that stands alone, on a line of its own. */
  static String text(SourceFile file, String place, String json, RecordContent content)
      throws UnreadableDocumentException {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), json)) {
      String text = null;
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw malformed(file, place, "it does not start with '{'");
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (content instanceof RecordContent.Field field && field.name().equals(name)) {
          if (value != JsonToken.VALUE_STRING) {
            throw noText(file, place, field.name(), "holds " + word(value));
          }
          text = parser.getString();
        } else {
          parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw malformed(file, place, "something follows the object");
      }
      String result =
          switch (content) {
            case RecordContent.WholeRecord _ -> json;
            case RecordContent.Field field -> {
              if (text == null) {
                throw noText(file, place, field.name(), "is missing");
              }
              yield text;
            }
          };
      return checked(file, place, result, json.contains("\\u"));
    } catch (StreamReadException e) {
      throw malformed(file, place, Json.reason(e));
    }
  }

  /** The text of a record that is already a tree. */
  static String text(SourceFile file, String place, JsonNode record, RecordContent content)
      throws UnreadableDocumentException {
    if (!record.isObject()) {
      throw malformed(file, place, "the record is not an object");
    }
    String text =
        switch (content) {
          case RecordContent.WholeRecord _ -> record.toString();
          case RecordContent.Field field -> {
            JsonNode value = record.get(field.name());
            if (value == null || !value.isString()) {
              throw noText(
                  file, place, field.name(), value == null ? "is missing" : "holds no string");
            }
            yield value.stringValue();
          }
        };
    return checked(file, place, text, true);
  }

  static UnreadableDocumentException noText(
      SourceFile file, String place, String field, String what) {
    return new UnreadableDocumentException(
        SkipReason.NO_TEXT_FIELD,
        file.displayName() + place + ": the field '" + field + "' " + what,
        "Set data.field to the field that holds the text, set data.format to text to train on the"
            + " file as it is, "
            + SourceErrors.SKIP_REMEDY
            + ".");
  }

  static UnreadableDocumentException malformed(SourceFile file, String place, String what) {
    return new UnreadableDocumentException(
        SkipReason.BAD_JSON,
        file.displayName() + place + " is not a JSON object: " + what,
        "Correct the file, " + SourceErrors.SKIP_REMEDY + ".");
  }

  private static String checked(SourceFile file, String place, String text, boolean mayBeBroken)
      throws UnreadableDocumentException {
    if (mayBeBroken && Utf8.hasLoneSurrogate(text)) {
      throw new UnreadableDocumentException(
          SkipReason.BAD_UTF8,
          file.displayName() + place + " holds half of a surrogate pair, which is no character",
          "Correct the \\u escapes, " + SourceErrors.SKIP_REMEDY + ".");
    }
    return text;
  }

  private static String word(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_NULL -> "null";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_STRING -> "a string";
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, PROPERTY_NAME, VALUE_EMBEDDED_OBJECT -> "no value";
    };
  }
}
