package dev.duoka.data.pair;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.ChatRecords;
import dev.duoka.data.chat.Message;
import dev.duoka.data.chat.RecordForms;
import dev.duoka.data.chat.Role;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.SkipReason;
import dev.duoka.formats.json.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads pairs of answers from the JSON forms that preference data comes in. Both sides are brought
 * into a form that {@link ChatRecords} reads, so that there is one reader of chats.
 *
 * <ul>
 *   <li>{@code {"prompt": "…" or [messages], "chosen": "…" or [messages], "rejected": …}} (TRL)
 *   <li>{@code {"chosen": [messages], "rejected": [messages]}}, whole chats (TRL, UltraFeedback)
 *   <li>{@code {"messages" or "conversations": […], "chosen": message, "rejected": message}}
 *       (LLaMA-Factory)
 *   <li>{@code {"messages": […, answer], "rejected_response": "…"}} (ms-swift)
 *   <li>{@code {"instruction", "input", "chosen": "…", "rejected": "…"}}, or {@code "output":
 *       [chosen, rejected]} (LLaMA-Factory)
 * </ul>
 *
 * And what {@link PairForms} brings into these.
 */
public final class PairRecords {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .build();

  private static final String FORMS =
      "Write each record as {\"prompt\", \"chosen\", \"rejected\"}, or with \"messages\" in place"
          + " of \"prompt\".";

  private final String where;

  private PairRecords(String where) {
    this.where = where;
  }

  /**
   * The pair of one JSON object.
   *
   * @param where names the record in errors, such as {@code pairs.jsonl line 7}
   * @throws DuokaException if it has none of the forms above, its chats differ in more than their
   *     answers, or in nothing
   */
  public static AnswerPair parse(String json, String where) {
    return pair(read(json, where), where);
  }

  /**
   * Both sides of a pair, each a chat in a form that {@link ChatRecords} reads.
   *
   * @param form of the record, by the field that shows it
   */
  public record Sides(ObjectNode chosen, ObjectNode rejected, String form) {}

  /** The pair of two sides; throws as {@link #parse} does. */
  public static AnswerPair pair(Sides sides, String where) {
    PairRecords reader = new PairRecords(where);
    AnswerPair pair =
        new AnswerPair(
            ChatRecords.parse(sides.chosen.toString(), where + " (chosen)"),
            ChatRecords.parse(sides.rejected.toString(), where + " (rejected)"));
    reader.check(pair);
    return pair;
  }

  /**
   * The sides of one JSON object, which are read no further.
   *
   * @throws DuokaException if it has none of the forms above
   */
  public static Sides read(String json, String where) {
    PairRecords reader = new PairRecords(where);
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot read pair " + where + ": it is not valid JSON (" + Json.reason(e) + ")",
          FORMS,
          e);
    }
    if (!(root instanceof ObjectNode given)) {
      throw reader.error("is no object");
    }
    ObjectNode object = PairForms.common(given);
    return new Sides(
        common(reader.side(object, true)), common(reader.side(object, false)), form(object));
  }

  private static ObjectNode common(ObjectNode side) {
    return (ObjectNode) RecordForms.common(side);
  }

  private static String form(ObjectNode root) {
    if (root.has("rejected_response")) {
      return "rejected_response";
    }
    if (isWhole(root.get("chosen")) && isWhole(root.get("rejected"))) {
      return "chosen";
    }
    for (String field : List.of("messages", "conversations", "instruction", "prompt")) {
      if (root.has(field)) {
        return field;
      }
    }
    return "";
  }

  private ObjectNode side(ObjectNode root, boolean chosen) {
    ObjectNode chat = root.deepCopy();
    chat.remove(List.of("chosen", "rejected", "prompt", "rejected_response"));
    JsonNode answer = answer(root, chosen);
    if (isWhole(root.get("chosen")) && isWhole(root.get("rejected"))) {
      // Whole chats have their question; what else stands beside them says it once more.
      chat.remove("conversations");
      chat.set("messages", answer);
    } else if (root.has("messages") || root.has("conversations")) {
      String field = root.has("messages") ? "messages" : "conversations";
      if (!(root.get(field) instanceof ArrayNode turns)) {
        throw error("has under '" + field + "' no array");
      }
      ArrayNode asked = turns.deepCopy();
      if (root.has("rejected_response") && !asked.isEmpty()) {
        asked.remove(asked.size() - 1);
      }
      chat.set(field, with(asked, answer));
    } else if (root.has("instruction")) {
      chat.set("output", answer);
    } else {
      chat.set("messages", with(prompt(root), answer));
    }
    return chat;
  }

  private JsonNode answer(ObjectNode root, boolean chosen) {
    JsonNode other = root.get("rejected_response");
    if (other != null) {
      return !chosen ? other : last(root);
    }
    JsonNode both = root.get("output");
    JsonNode answer =
        both != null && both.isArray() && both.size() == 2
            ? both.get(chosen ? 0 : 1)
            : root.get(side(chosen));
    if (answer == null || answer.isNull()) {
      throw error(
          "has the fields " + root.propertyNames() + " and no answer '" + side(chosen) + "'");
    }
    return answer;
  }

  private JsonNode last(ObjectNode root) {
    JsonNode turns = root.path("messages");
    if (!turns.isArray() || turns.isEmpty()) {
      throw error("has 'rejected_response' and no 'messages' that end with the chosen answer");
    }
    return turns.get(turns.size() - 1);
  }

  /** What comes before the answer. */
  private ArrayNode prompt(ObjectNode root) {
    JsonNode prompt = root.get("prompt");
    if (prompt instanceof ArrayNode messages) {
      return messages.deepCopy();
    }
    ArrayNode asked = MAPPER.createArrayNode();
    if (prompt == null || !prompt.isString()) {
      throw error(
          "has the fields "
              + root.propertyNames()
              + " and "
              + (prompt == null ? "no question before its answers" : "a 'prompt' that is no text"));
    }
    asked.add(message("user", prompt));
    return asked;
  }

  private static boolean isWhole(@Nullable JsonNode answer) {
    return answer instanceof ArrayNode turns && turns.size() > 1;
  }

  private static ArrayNode with(ArrayNode asked, JsonNode answer) {
    switch (answer) {
      case ArrayNode turns -> asked.addAll(turns);
      case ObjectNode turn -> asked.add(turn);
      default -> asked.add(message("assistant", answer));
    }
    return asked;
  }

  private static ObjectNode message(String role, JsonNode content) {
    ObjectNode message = MAPPER.createObjectNode();
    message.put("role", role);
    message.set("content", content);
    return message;
  }

  private static String side(boolean chosen) {
    return chosen ? "chosen" : "rejected";
  }

  private void check(AnswerPair pair) {
    int asked = pair.asked();
    List<Message> chosen = pair.chosen().messages();
    List<Message> rejected = pair.rejected().messages();
    for (List<Message> chat : List.of(chosen, rejected)) {
      if (chat.getLast().role() != Role.ASSISTANT) {
        throw error("does not end with an answer of the assistant");
      }
      if (chat.size() == 1) {
        throw error("has an answer and no question");
      }
    }
    if (chosen.equals(rejected)) {
      throw new BadRecordException(
          SkipReason.SAME_ANSWER,
          "pair " + where + " has the same answer twice, so that none can be preferred",
          chosen.getLast().content());
    }
    if (!isAnswer(chosen, asked) || !isAnswer(rejected, asked)) {
      throw error(
          "has answers to different questions: the chats differ before an answer of the assistant,"
              + " or somebody else than tools speaks within one");
    }
  }

  /** Whether the messages from one on are the assistant's, and those of tools that it calls. */
  private static boolean isAnswer(List<Message> chat, int from) {
    return from < chat.size()
        && chat.get(from).role() == Role.ASSISTANT
        && chat.stream()
            .skip(from)
            .allMatch(turn -> turn.role() == Role.ASSISTANT || turn.role() == Role.TOOL);
  }

  private DuokaException error(String what) {
    return new DuokaException(ErrorCode.DATA, "pair " + where + " " + what, FORMS);
  }
}
