package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.jinja.JsonValues;
import dev.duoka.data.jinja.Value;
import dev.duoka.formats.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** A chat as the variables of a template, as transformers name them. */
final class TemplateVariables {
  private TemplateVariables() {}

  /**
   * The variables.
   *
   * @param objects whether the arguments of tool calls are objects, and not their JSON text
   * @param prompt whether the assistant is to speak next
   */
  static Map<String, Value> of(
      ChatRecord record, ChatMarkers markers, boolean objects, boolean prompt) {
    Map<String, Value> variables = new LinkedHashMap<>();
    List<Value> messages = new ArrayList<>();
    record.messages().forEach(message -> messages.add(message(message, objects)));
    variables.put("messages", Value.list(messages));
    List<Value> tools = new ArrayList<>();
    record.tools().forEach(tool -> tools.add(JsonValues.of(tool)));
    variables.put("tools", tools.isEmpty() ? Value.none() : Value.list(tools));
    variables.put("documents", Value.none());
    variables.put("add_generation_prompt", Value.of(prompt));
    markers.texts().forEach((name, text) -> variables.put(name, Value.of(text)));
    return variables;
  }

  private static Value message(Message message, boolean objects) {
    Map<String, Value> fields = new LinkedHashMap<>();
    fields.put("role", Value.of(message.role().name().toLowerCase(Locale.ROOT)));
    fields.put("content", Value.of(message.content()));
    message.further().forEach((name, node) -> fields.put(name, JsonValues.of(node)));
    if (!message.toolCalls().isEmpty()) {
      List<Value> calls = new ArrayList<>();
      message.toolCalls().forEach(call -> calls.add(call(call, objects)));
      fields.put("tool_calls", Value.list(calls));
    }
    return Value.Dict.ofNames(fields);
  }

  private static Value call(ToolCall call, boolean objects) {
    Map<String, Value> fields = new LinkedHashMap<>();
    String id = call.id();
    if (id != null) {
      fields.put("id", Value.of(id));
    }
    fields.put("type", Value.of(call.type()));
    Map<String, Value> function = new LinkedHashMap<>();
    function.put("name", Value.of(call.name()));
    function.put("arguments", objects ? arguments(call) : Value.of(call.arguments()));
    fields.put("function", Value.Dict.ofNames(function));
    return Value.Dict.ofNames(fields);
  }

  private static Value arguments(ToolCall call) {
    String where = "the arguments of the tool call " + call.name();
    JsonNode node =
        Json.parse(call.arguments().getBytes(StandardCharsets.UTF_8), where, ErrorCode.DATA);
    if (!node.isObject()) {
      throw new DuokaException(
          ErrorCode.DATA,
          where + " are no JSON object: " + call.arguments(),
          "The chat template writes them one by one; make an object of them.");
    }
    return JsonValues.of(node);
  }
}
