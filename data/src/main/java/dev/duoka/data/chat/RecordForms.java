package dev.duoka.data.chat;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Brings records of chats in the forms of other trainers into those that {@link ChatRecords} reads.
 *
 * <ul>
 *   <li>{@code {"prompt": [messages], "completion": [messages]}} (TRL) becomes {@code messages}
 *   <li>{@code {"query", "response", "history"}} (ms-swift) becomes Alpaca's form
 *   <li>turns of {@code function_call} (LLaMA-Factory) or {@code tool_call} (ms-swift), which hold
 *       {@code {"name", "arguments"}} or a list of them as JSON text, become one turn of the
 *       assistant with {@code tool_calls}
 * </ul>
 *
 * What is in none of these forms stays as it is.
 */
public final class RecordForms {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final Set<String> CALLS = Set.of("function_call", "tool_call");
  private static final List<String> MARKS = List.of("train", "weight", "loss");

  private RecordForms() {}

  /** The record in a form that {@link ChatRecords} reads; the argument is not changed. */
  public static JsonNode common(JsonNode root) {
    if (!(root instanceof ObjectNode given)) {
      return root;
    }
    ObjectNode record = given;
    if (!given.has("messages") && !given.has("conversations")) {
      record = withTurns(given);
    }
    for (String field : List.of("messages", "conversations")) {
      if (record.get(field) instanceof ArrayNode turns && hasCalls(turns)) {
        record = record.deepCopy();
        record.set(field, withCalls(turns));
      }
    }
    return record;
  }

  /** Whether turns of this role hold calls of tools as JSON text. */
  static boolean isCall(JsonNode role) {
    return role.isString() && CALLS.contains(role.stringValue());
  }

  private static ObjectNode withTurns(ObjectNode given) {
    JsonNode prompt = given.get("prompt");
    JsonNode completion = given.get("completion");
    if (prompt != null && completion != null && (areTurns(prompt) || areTurns(completion))) {
      ObjectNode record = given.deepCopy();
      record.remove(List.of("prompt", "completion"));
      ArrayNode turns = record.putArray("messages");
      add(turns, "user", prompt);
      add(turns, "assistant", completion);
      return record;
    }
    if (given.has("query") && given.has("response") && !given.has("instruction")) {
      ObjectNode record = given.deepCopy();
      record.set("instruction", record.remove("query"));
      record.set("output", record.remove("response"));
      return record;
    }
    return given;
  }

  private static boolean areTurns(JsonNode node) {
    return node.isArray() && (node.path(0).has("role") || node.path(0).has("from"));
  }

  private static void add(ArrayNode turns, String role, JsonNode said) {
    if (areTurns(said)) {
      said.forEach(turns::add);
    } else {
      turns.addObject().put("role", role).set("content", said);
    }
  }

  private static boolean hasCalls(ArrayNode turns) {
    for (JsonNode turn : turns) {
      if (isCall(role(turn))) {
        return true;
      }
    }
    return false;
  }

  private static JsonNode role(JsonNode turn) {
    return turn.has("role") ? turn.path("role") : turn.path("from");
  }

  private static ArrayNode withCalls(ArrayNode turns) {
    ArrayNode read = MAPPER.createArrayNode();
    ObjectNode before = null;
    for (JsonNode turn : turns) {
      ArrayNode calls = isCall(role(turn)) ? calls(turn) : null;
      if (calls == null) {
        read.add(turn);
        before = null;
      } else if (before != null) {
        before.withArray("tool_calls").addAll(calls);
      } else {
        before = read.addObject().put("role", "assistant").putNull("content");
        before.set("tool_calls", calls);
        for (String mark : MARKS) {
          if (turn.has(mark)) {
            before.set(mark, turn.path(mark));
          }
        }
      }
    }
    return read;
  }

  /** The calls of a turn as {@code tool_calls} has them; null where it holds something else. */
  private static @Nullable ArrayNode calls(JsonNode turn) {
    JsonNode said = turn.has("content") ? turn.path("content") : turn.path("value");
    if (said.isString()) {
      try {
        said = MAPPER.readTree(said.stringValue());
      } catch (JacksonException _) {
        return null;
      }
    }
    List<JsonNode> wanted = said.isArray() ? said.valueStream().toList() : List.of(said);
    ArrayNode calls = MAPPER.createArrayNode();
    for (JsonNode call : wanted) {
      if (!call.path("name").isString() || !call.has("arguments")) {
        return null;
      }
      ObjectNode function = calls.addObject().put("type", "function").putObject("function");
      function.set("name", call.path("name"));
      function.set("arguments", call.path("arguments"));
    }
    return calls.isEmpty() ? null : calls;
  }
}
