package dev.duoka.data.training;

import dev.duoka.data.chat.Role;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A turn of a chat as its record has it, read so far as is needed to judge it.
 *
 * @param role who speaks; null where the turn is in no known form
 * @param text what is said; empty where that is nothing
 * @param calls whether it holds calls of tools
 * @param place in the record, for example {@code messages[3]}
 */
record ChatTurn(@Nullable Role role, String text, boolean calls, String place) {
  /** The turns of a record in any of the forms; none of one in an unknown form. */
  static List<ChatTurn> of(JsonNode root) {
    List<ChatTurn> turns = new ArrayList<>();
    if (lead(root) > 0) {
      turns.add(of(Role.SYSTEM, root.path("system"), "system"));
    }
    if (list(root) != null) {
      String field = String.valueOf(list(root));
      JsonNode list = root.path(field);
      for (int i = 0; i < list.size(); i++) {
        turns.add(of(list.path(i), field + "[" + i + "]"));
      }
    } else if (root.has("prompt") && root.has("completion")) {
      turns.add(of(Role.USER, root.path("prompt"), "prompt"));
      turns.add(of(Role.ASSISTANT, root.path("completion"), "completion"));
    } else if (root.has("instruction") && root.has("output")) {
      for (JsonNode pair : root.path("history")) {
        turns.add(of(Role.USER, pair.path(0), "history"));
        turns.add(of(Role.ASSISTANT, pair.path(1), "history"));
      }
      turns.add(instruction(root));
      turns.add(of(Role.ASSISTANT, root.path("output"), "output"));
    }
    return turns;
  }

  /** How many turns a record of a list has before it: 1 for a system prompt of its own, else 0. */
  static int lead(JsonNode root) {
    JsonNode system = root.path("system");
    boolean none =
        system.isMissingNode()
            || system.isNull()
            || (system.isString() && system.stringValue().isEmpty());
    return none ? 0 : 1;
  }

  /** Alpaca's question, which its input belongs to. */
  private static ChatTurn instruction(JsonNode root) {
    ChatTurn asked = of(Role.USER, root.path("instruction"), "instruction");
    JsonNode input = root.path("input");
    if (!input.isString() || input.stringValue().isEmpty()) {
      return asked;
    }
    return new ChatTurn(
        asked.role, asked.text + "\n\n" + input.stringValue(), false, "instruction with input");
  }

  /** The field that is a list of turns; null where the record has none. */
  static @Nullable String list(JsonNode root) {
    return root.path("messages").isArray()
        ? "messages"
        : root.path("conversations").isArray() ? "conversations" : null;
  }

  /** The form of a record, by the field that shows it; empty for an unknown one. */
  static String form(JsonNode root) {
    String list = list(root);
    if (list != null) {
      return list;
    }
    return root.has("prompt") ? "prompt" : root.has("instruction") ? "instruction" : "";
  }

  /**
   * Cuts what a turn says to so many bytes of UTF-8, not within a character. What it says must be
   * longer.
   *
   * @param turn of those of {@link #of(JsonNode)}, of a record with a list of turns
   * @return false where its words are not one text, and nothing was done
   */
  static boolean shorten(JsonNode root, int turn, int longest) {
    int listed = turn - lead(root);
    return listed < 0
        ? shorten(root, "system", longest)
        : shorten(root.path(String.valueOf(list(root))).path(listed), longest);
  }

  private static boolean shorten(JsonNode turn, int longest) {
    return shorten(turn, turn.has("content") ? "content" : "value", longest);
  }

  private static boolean shorten(JsonNode turn, String field, int longest) {
    if (!(turn instanceof ObjectNode object) || !turn.path(field).isString()) {
      return false;
    }
    byte[] bytes = turn.path(field).stringValue().getBytes(StandardCharsets.UTF_8);
    int end = longest;
    while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
      end--; // not within a character
    }
    object.put(field, new String(bytes, 0, end, StandardCharsets.UTF_8));
    return true;
  }

  private static ChatTurn of(JsonNode turn, String place) {
    JsonNode name = turn.has("role") ? turn.path("role") : turn.path("from");
    JsonNode content = turn.has("content") ? turn.path("content") : turn.path("value");
    boolean calls = !turn.path("tool_calls").isEmpty();
    Role role = name.isString() ? Role.named(name.stringValue()) : null;
    boolean silent = calls && (content.isMissingNode() || content.isNull());
    return silent ? new ChatTurn(role, "", true, place) : of(role, content, calls, place);
  }

  private static ChatTurn of(Role role, JsonNode content, String place) {
    return of(role, content, false, place);
  }

  private static ChatTurn of(@Nullable Role role, JsonNode content, boolean calls, String place) {
    if (content.isString()) {
      return new ChatTurn(role, content.stringValue(), calls, place);
    }
    StringBuilder joined = new StringBuilder();
    boolean readable = content.isArray() && !content.isEmpty();
    for (JsonNode part : content) {
      readable &= part.path("text").isString();
      joined.append(part.path("text").asString(""));
    }
    return new ChatTurn(readable ? role : null, joined.toString(), calls, place);
  }

  /** Bytes of the text in UTF-8. */
  long bytes() {
    long bytes = text.length();
    if (bytes > 0) {
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        bytes += c < 0x80 ? 0 : c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return bytes;
  }

  /** Whether a tool may answer: by calls of its own, or written into the text. */
  boolean asksTools() {
    return calls || text.toLowerCase(Locale.ROOT).replace('\u2581', '_').contains("tool_call");
  }

  /** Whether it is an answer that is over, and calls no tool. */
  boolean isAnswer() {
    return role == Role.ASSISTANT && !calls;
  }
}
