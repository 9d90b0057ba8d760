package dev.duoka.data.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One turn of a chat.
 *
 * @param role who speaks
 * @param content what is said, without any marker of the template
 * @param toolCalls what the assistant asks for behind it; usually nothing
 * @param marked whether the record says that the turn is learned; null where it says nothing
 * @param further fields of the record that some templates read, such as {@code reasoning_content}
 *     or {@code tool_call_id}; one called {@code content} is what a template sees instead of the
 *     text
 */
public record Message(
    Role role,
    String content,
    List<ToolCall> toolCalls,
    @Nullable Boolean marked,
    Map<String, JsonNode> further) {
  public Message {
    toolCalls = List.copyOf(toolCalls);
    further = Map.copyOf(further);
  }

  /** A turn of words alone. */
  public Message(Role role, String content) {
    this(role, content, List.of());
  }

  /** A turn that may call tools. */
  public Message(Role role, String content, List<ToolCall> toolCalls) {
    this(role, content, toolCalls, null, Map.of());
  }
}
