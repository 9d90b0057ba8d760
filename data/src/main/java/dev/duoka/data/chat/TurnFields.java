package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.NullNode;

/** Reads what a turn of a chat has beside its role and words, and a chat's tools. */
final class TurnFields {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String TRAIN = "train";
  private static final String LOSS = "loss";
  private static final String WEIGHT = "weight";

  private static final Set<String> READ =
      Set.of("role", "from", "content", "value", "tool_calls", TRAIN, LOSS, WEIGHT);

  private final Function<String, DuokaException> errors;

  /**
   * @param errors makes the error of a record from what is wrong with it
   */
  TurnFields(Function<String, DuokaException> errors) {
    this.errors = errors;
  }

  /** OpenAI's {@code [{"type", "function": {"name", "arguments"}}]}; the type may be missing. */
  List<ToolCall> toolCalls(JsonNode list, String place) {
    List<ToolCall> calls = new ArrayList<>();
    if (list.isMissingNode() || list.isNull()) {
      return calls;
    }
    if (!list.isArray()) {
      throw errors.apply("has at " + place + " 'tool_calls' that are no array");
    }
    for (JsonNode call : list) {
      JsonNode function = call.path("function");
      JsonNode arguments = function.path("arguments");
      if (!function.path("name").isString() || arguments.isMissingNode()) {
        throw errors.apply(
            "has at " + place + " a tool call without a function's name and arguments");
      }
      calls.add(
          new ToolCall(
              call.path("type").asString("function"),
              function.path("name").stringValue(),
              arguments.isString() ? arguments.stringValue() : arguments.toString(),
              call.path("id").isString() ? call.path("id").stringValue() : null));
    }
    return calls;
  }

  /** Whether a turn is to be learned: {@code train}, {@code loss} or {@code weight}; else null. */
  @Nullable Boolean mark(JsonNode turn, Role role, String place) {
    List<String> marks =
        Stream.of(TRAIN, LOSS, WEIGHT).filter(name -> turn.hasNonNull(name)).toList();
    if (marks.isEmpty()) {
      return null;
    }
    if (marks.size() > 1) {
      throw errors.apply(
          "has at " + place + " both '" + marks.getFirst() + "' and '" + marks.getLast() + "'");
    }
    String name = marks.getFirst();
    JsonNode mark = turn.path(name);
    boolean number = mark.isNumber() && (mark.doubleValue() == 0 || mark.doubleValue() == 1);
    if (name.equals(WEIGHT) ? !number : !mark.isBoolean()) {
      String known = name.equals(WEIGHT) ? "0 or 1" : "true or false";
      throw errors.apply("has at " + place + " '" + name + "' " + mark + "; it is " + known);
    }
    boolean marked = mark.isBoolean() ? mark.booleanValue() : mark.doubleValue() == 1;
    if (marked && role != Role.ASSISTANT) {
      throw errors.apply("marks at " + place + " a turn to learn that is not the assistant's");
    }
    return marked;
  }

  /**
   * The other fields.
   *
   * @param silent whether the turn calls tools and says nothing, which templates see as none
   */
  Map<String, JsonNode> further(JsonNode turn, boolean silent) {
    Map<String, JsonNode> further = new HashMap<>();
    turn.properties()
        .forEach(
            field -> {
              if (!READ.contains(field.getKey())) {
                further.put(field.getKey(), field.getValue());
              }
            });
    if (silent) {
      further.put("content", NullNode.getInstance());
    }
    return further;
  }

  /** A list of objects, or its JSON text; nothing where there is none. */
  List<JsonNode> tools(@Nullable JsonNode node) {
    if (node == null || node.isNull() || (node.isString() && node.stringValue().isBlank())) {
      return List.of();
    }
    JsonNode list = node;
    if (node.isString()) {
      try {
        list = MAPPER.readTree(node.stringValue());
      } catch (JacksonException _) {
        throw errors.apply("has under 'tools' a text that is not valid JSON");
      }
    }
    if (!list.isArray()) {
      throw errors.apply("has under 'tools' no array");
    }
    List<JsonNode> tools = new ArrayList<>();
    for (JsonNode tool : list) {
      if (!tool.isObject()) {
        throw errors.apply("has under 'tools' something other than objects");
      }
      tools.add(tool);
    }
    return tools;
  }
}
