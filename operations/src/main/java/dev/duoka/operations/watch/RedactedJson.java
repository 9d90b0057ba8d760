package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** JSON of a run's folder as it can be shown: of its text nothing is obeyed, nothing is secret. */
final class RedactedJson {
  private RedactedJson() {}

  /** The same object with its text as {@link RedactedText#line} has it. */
  static ObjectNode of(ObjectNode json) {
    ObjectNode shown = Json.object();
    json.properties()
        .forEach(each -> shown.set(RedactedText.line(each.getKey()), any(shown, each.getValue())));
    return shown;
  }

  private static JsonNode any(ObjectNode maker, JsonNode value) {
    return switch (value) {
      case ObjectNode object -> of(object);
      case ArrayNode array -> {
        ArrayNode shown = maker.arrayNode();
        array.forEach(each -> shown.add(any(maker, each)));
        yield shown;
      }
      default -> value.isString() ? maker.stringNode(RedactedText.line(value.asString())) : value;
    };
  }
}
