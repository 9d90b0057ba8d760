package dev.duoka.data.chat;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * A chat as data has it.
 *
 * @param messages in the order in which they were said; at least one
 * @param tools that the assistant may call, as the record describes them; usually none
 */
public record ChatRecord(List<Message> messages, List<JsonNode> tools) {
  public ChatRecord {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
  }

  /** A chat without tools. */
  public ChatRecord(List<Message> messages) {
    this(messages, List.of());
  }

  /** The same with other messages. */
  public ChatRecord with(List<Message> others) {
    return new ChatRecord(others, tools);
  }

  /** The same with a system message in front, if it has none anywhere. */
  public ChatRecord withSystem(String prompt) {
    if (messages.stream().anyMatch(message -> message.role() == Role.SYSTEM)) {
      return this;
    }
    List<Message> all = new ArrayList<>(List.of(new Message(Role.SYSTEM, prompt)));
    all.addAll(messages);
    return with(all);
  }
}
