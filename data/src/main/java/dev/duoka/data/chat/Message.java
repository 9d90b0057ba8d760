package dev.duoka.data.chat;

import java.util.List;

/**
 * One turn of a chat.
 *
 * @param role who speaks
 * @param content what is said, without any marker of the template
 * @param toolCalls what the assistant asks for behind it; usually nothing
 */
public record Message(Role role, String content, List<ToolCall> toolCalls) {
  public Message {
    toolCalls = List.copyOf(toolCalls);
  }

  /** A turn of words alone. */
  public Message(Role role, String content) {
    this(role, content, List.of());
  }
}
