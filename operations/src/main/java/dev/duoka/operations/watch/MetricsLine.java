package dev.duoka.operations.watch;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
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

  /** Before the number of a rank, a point, and an owner of memory or {@code driver_bytes}. */
  static final String RANK_MEMORY = "rank_memory.";

  private static final int MOST_KEPT = 1024;

  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();

  private final Map<String, Map<String, String>> composed = new HashMap<>();
  private String[] names = new String[32];
  private double[] values = new double[32];
  private int count;
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
    count = 0;
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
    for (int i = 0; i < count; i++) {
      sink.value(step, names[i], values[i]);
    }
    return true;
  }

  private void fields(JsonParser parser, String prefix) {
    @Nullable String field;
    while ((field = parser.nextName()) != null) {
      JsonToken token = parser.nextToken();
      if (prefix.isEmpty() && field.equals("step") && token == JsonToken.VALUE_NUMBER_INT) {
        step = parser.getLongValue();
      } else if (token == JsonToken.START_OBJECT && prefix.isEmpty()) {
        fields(parser, field);
      } else if (token == JsonToken.START_ARRAY && field.equals("grad_range")) {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
          layer(parser);
        }
      } else if (token == JsonToken.START_ARRAY && field.equals("rank_memory")) {
        for (int rank = 0; parser.nextToken() == JsonToken.START_OBJECT; rank++) {
          fields(parser, RANK_MEMORY + rank);
        }
      } else if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
        parser.skipChildren();
      } else {
        number(parser, token, prefix.isEmpty() ? field : composed(prefix, field));
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

  /** Both names in one; kept, for a run has few of them and a file has each a million times. */
  private String composed(String object, String field) {
    Map<String, String> known = composed.get(object);
    String name = known == null ? null : known.get(field);
    if (name == null) {
      name = object + "." + field;
      if (composed.size() < MOST_KEPT && (known == null || known.size() < MOST_KEPT)) {
        composed.computeIfAbsent(object, each -> new HashMap<>()).put(field, name);
      }
    }
    return name;
  }

  private void add(String name, double value) {
    if (count == names.length) {
      names = Arrays.copyOf(names, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    names[count] = name;
    values[count++] = value;
  }
}
