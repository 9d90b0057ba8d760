package dev.duoka.operations.watch;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads lines of {@code metrics.jsonl}. Numbers in objects are named with both names, for example
 * {@code seconds.total}; the gradients of a layer are {@code grad_range.rms:LAYER} and {@code
 * grad_range.max:LAYER}, the latter the largest by amount. A null is a value that is no number. One
 * thread.
 */
final class MetricsLine {
  /** Before the name of a layer: the root of the mean square of its gradients. */
  static final String GRADIENT_RMS = "grad_range.rms:";

  /** Before the name of a layer: the largest of its gradients, by amount. */
  static final String GRADIENT_MAX = "grad_range.max:";

  private static final JsonFactory FACTORY = new JsonFactory();

  private final List<String> names = new ArrayList<>();
  private final List<Double> values = new ArrayList<>();
  private long step;

  /** Where the values of a line go. */
  interface Sink {
    /** One value; NaN for one that is no number. */
    void value(long step, String name, double value);
  }

  /**
   * Passes on the values of a line; false, and nothing passed on, for one that is malformed or
   * names no step.
   */
  boolean read(byte[] bytes, int offset, int length, Sink sink) {
    names.clear();
    values.clear();
    step = -1;
    try (JsonParser parser =
        FACTORY.createParser(ObjectReadContext.empty(), bytes, offset, length)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return false;
      }
      fields(parser, "");
      if (parser.nextToken() != null || step < 0) {
        return false;
      }
    } catch (JacksonException e) {
      return false;
    }
    for (int i = 0; i < names.size(); i++) {
      sink.value(step, names.get(i), values.get(i));
    }
    return true;
  }

  private void fields(JsonParser parser, String prefix) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = parser.currentName();
      JsonToken token = parser.nextToken();
      if (prefix.isEmpty() && field.equals("step") && token == JsonToken.VALUE_NUMBER_INT) {
        step = parser.getLongValue();
      } else if (token == JsonToken.START_OBJECT && prefix.isEmpty()) {
        fields(parser, field + ".");
      } else if (token == JsonToken.START_ARRAY && field.equals("grad_range")) {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
          layer(parser);
        }
      } else if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
        parser.skipChildren();
      } else {
        number(parser, token, prefix.isEmpty() ? field : prefix + field);
      }
    }
  }

  private void number(JsonParser parser, JsonToken token, String name) {
    if (token.isNumeric()) {
      add(name, parser.getDoubleValue());
    } else if (token == JsonToken.VALUE_NULL) {
      add(name, Double.NaN);
    }
  }

  private void layer(JsonParser parser) {
    @Nullable String layer = null;
    double largest = 0;
    double rms = Double.NaN;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = parser.currentName();
      JsonToken token = parser.nextToken();
      double value = token.isNumeric() ? parser.getDoubleValue() : Double.NaN;
      switch (field) {
        case "layer" -> layer = token == JsonToken.VALUE_STRING ? parser.getString() : null;
        case "min", "max" -> largest = Math.max(largest, Math.abs(value)); // NaN stays
        case "rms" -> rms = value;
        default -> parser.skipChildren();
      }
    }
    if (layer != null) {
      add(GRADIENT_RMS + layer, rms);
      add(GRADIENT_MAX + layer, largest);
    }
  }

  private void add(String name, double value) {
    names.add(name);
    values.add(value);
  }
}
