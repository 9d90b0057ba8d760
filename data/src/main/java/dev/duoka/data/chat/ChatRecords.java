package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads chats from the JSON forms that fine-tuning data comes in.
 *
 * <ul>
 *   <li>{@code {"messages": [{"role": "user", "content": "…"}, …]}} (OpenAI, Hugging Face)
 *   <li>{@code {"conversations": [{"from": "human", "value": "…"}, …]}} (ShareGPT), with an
 *       optional {@code "system"}
 *   <li>{@code {"prompt": "…", "completion": "…"}}
 *   <li>{@code {"instruction": "…", "input": "…", "output": "…"}} (Alpaca), where {@code input} may
 *       be missing and {@code system} and {@code history} may be there
 * </ul>
 *
 * An assistant's turn may have OpenAI's {@code tool_calls}, and what the tool answered follows with
 * the role {@code tool}; forms of other trainers are brought into these ({@link RecordForms}).
 * {@code tools} of the record describe what can be called, as a list or its JSON text. A turn may
 * be marked as to learn or not, by {@code train} or ms-swift's {@code loss} (true or false) or
 * OpenAI's {@code weight} (1 or 0). Further fields of a turn are kept for templates that read them;
 * further fields of the record are passed over, for they are often ids and sources.
 */
public final class ChatRecords {
  private static final JsonMapper MAPPER = new JsonMapper();

  private static final String FORMS =
      "Write each record as {\"messages\": [{\"role\", \"content\"}]}, {\"conversations\":"
          + " [{\"from\", \"value\"}]}, {\"prompt\", \"completion\"} or {\"instruction\","
          + " \"input\", \"output\"}.";

  private final String where;

  private ChatRecords(String where) {
    this.where = where;
  }

  /**
   * The chat of one JSON object.
   *
   * @param where names the record in errors, such as {@code chats.jsonl line 7}
   * @throws DuokaException if it has none of the forms above, or no message
   */
  public static ChatRecord parse(String json, String where) {
    ChatRecords reader = new ChatRecords(where);
    JsonNode root;
    try {
      root = RecordForms.common(MAPPER.readTree(json));
    } catch (JacksonException e) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot read chat " + where + ": it is not valid JSON (" + Json.reason(e) + ")",
          FORMS,
          e);
    }
    if (!root.isObject()) {
      throw reader.error("is " + word(root) + " instead of an object");
    }
    List<Message> messages = reader.messages(root);
    if (messages.isEmpty()) {
      throw reader.error("has no message");
    }
    return new ChatRecord(messages, new TurnFields(reader::error).tools(root.get("tools")));
  }

  private List<Message> messages(JsonNode root) {
    List<Message> messages = new ArrayList<>();
    JsonNode system = root.get("system");
    if (system != null && !system.isNull() && !system.asString("?").isEmpty()) {
      messages.add(new Message(Role.SYSTEM, text(system, "system")));
    }
    if (root.has("messages")) {
      turns(root, "messages", messages);
    } else if (root.has("conversations")) {
      turns(root, "conversations", messages);
    } else if (root.has("prompt") && root.has("completion")) {
      messages.add(new Message(Role.USER, text(root.get("prompt"), "prompt")));
      messages.add(new Message(Role.ASSISTANT, answer(root.get("completion"), "completion")));
    } else if (root.has("instruction") && root.has("output")) {
      history(root.get("history"), messages);
      String instruction = text(root.get("instruction"), "instruction");
      JsonNode inputNode = root.get("input");
      String input = inputNode == null || inputNode.isNull() ? "" : text(inputNode, "input");
      messages.add(
          new Message(Role.USER, input.isEmpty() ? instruction : instruction + "\n\n" + input));
      messages.add(new Message(Role.ASSISTANT, answer(root.get("output"), "output")));
    } else {
      throw error("has the fields " + root.propertyNames() + ", which is none of the known forms");
    }
    return messages;
  }

  private void turns(JsonNode root, String field, List<Message> messages) {
    JsonNode list = root.get(field);
    if (!list.isArray()) {
      throw error("has under '" + field + "' " + word(list) + " instead of an array");
    }
    for (int i = 0; i < list.size(); i++) {
      JsonNode turn = list.get(i);
      String place = field + "[" + i + "]";
      JsonNode name = turn.has("role") ? turn.get("role") : turn.get("from");
      JsonNode content = turn.has("content") ? turn.get("content") : turn.get("value");
      TurnFields fields = new TurnFields(this::error);
      List<ToolCall> calls = fields.toolCalls(turn.path("tool_calls"), place);
      if (name == null || (content == null && calls.isEmpty())) {
        throw error("has at " + place + " no 'role' with 'content', nor 'from' with 'value'");
      }
      Role role = name.isString() ? Role.named(name.stringValue()) : null;
      if (role == null && RecordForms.isCall(name)) {
        throw error(
            "has at "
                + place
                + " a call that is no {\"name\", \"arguments\"} and no list of such, as JSON");
      }
      if (role == null) {
        throw error("has at " + place + " the role " + name + "; known are " + Role.NAMES);
      }
      if (!calls.isEmpty() && role != Role.ASSISTANT) {
        throw error("has at " + place + " tool calls of the role " + name);
      }
      boolean silent = !calls.isEmpty() && (content == null || content.isNull());
      boolean answers = role == Role.ASSISTANT && calls.isEmpty();
      String words = silent ? "" : answers ? answer(content, place) : text(content, place);
      messages.add(
          new Message(
              role, words, calls, fields.mark(turn, role, place), fields.further(turn, silent)));
    }
  }

  /** Alpaca's earlier turns: pairs of a question and its answer. */
  private void history(@Nullable JsonNode history, List<Message> messages) {
    if (history == null || history.isNull()) {
      return;
    }
    for (JsonNode pair : history) {
      if (pair.size() != 2 || !pair.isArray()) {
        throw error("has under 'history' something other than pairs of question and answer");
      }
      messages.add(new Message(Role.USER, text(pair.get(0), "history")));
      messages.add(new Message(Role.ASSISTANT, answer(pair.get(1), "history")));
    }
  }

  /** What the assistant says, which is what is learned. */
  private String answer(JsonNode node, String place) {
    String words = text(node, place);
    if (words.isBlank()) {
      throw error("has at " + place + " an empty answer of the assistant");
    }
    return words;
  }

  /** A string, or OpenAI's array of parts if all of them are text. */
  private String text(JsonNode node, String place) {
    if (node.isString()) {
      return node.stringValue();
    }
    if (node.isArray() && !node.isEmpty()) {
      StringBuilder joined = new StringBuilder();
      for (JsonNode part : node) {
        JsonNode words = part.get("text");
        if (words == null || !words.isString()) {
          throw error("has at " + place + " a part that is no text");
        }
        joined.append(words.stringValue());
      }
      return joined.toString();
    }
    throw error("has at " + place + " " + word(node) + " instead of a text");
  }

  private static String word(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> node.isEmpty() ? "an empty array" : "an array";
      case OBJECT, POJO -> "an object";
      case NUMBER -> "a number";
      case BOOLEAN -> node.booleanValue() ? "true" : "false";
      case NULL -> "null";
      case STRING -> "a text";
      case BINARY -> "bytes";
      case MISSING -> "nothing";
    };
  }

  private DuokaException error(String problem) {
    return new DuokaException(
        ErrorCode.DATA, "cannot read chat " + where + ": the record " + problem, FORMS);
  }
}
