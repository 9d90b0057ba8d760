package dev.duoka.data.jinja;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** JSON as values of a template. */
public final class JsonValues {
  private JsonValues() {}

  /**
   * The same as a template sees it.
   *
   * @throws DuokaException of {@link ErrorCode#DATA} for whole numbers of more than 64 bits, and
   *     for more levels than a {@link Value} may have
   */
  public static Value of(JsonNode node) {
    try {
      return value(node);
    } catch (Fault fault) {
      throw new DuokaException(
          ErrorCode.DATA,
          "a chat template cannot have this JSON: " + fault.getMessage(),
          "Write it with fewer levels and smaller numbers.",
          fault);
    }
  }

  private static Value value(JsonNode node) {
    return switch (node.getNodeType()) {
      case STRING -> Value.of(node.stringValue());
      case BOOLEAN -> Value.of(node.booleanValue());
      case NULL, MISSING -> Value.none();
      case NUMBER -> number(node);
      case ARRAY -> {
        List<Value> items = new ArrayList<>();
        node.forEach(item -> items.add(value(item)));
        yield Value.list(items);
      }
      case OBJECT -> {
        Map<String, Value> entries = new LinkedHashMap<>();
        node.properties().forEach(entry -> entries.put(entry.getKey(), value(entry.getValue())));
        yield Value.Dict.ofNames(entries);
      }
      case BINARY, POJO -> throw new IllegalArgumentException("no JSON: " + node.getNodeType());
    };
  }

  private static Value number(JsonNode node) {
    if (!node.isIntegralNumber()) {
      return new Value.Real(node.doubleValue());
    }
    if (!node.canConvertToLong()) {
      throw new Fault("the number " + node + " has more than 64 bits");
    }
    return Value.of(node.longValue());
  }
}
