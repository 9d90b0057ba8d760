package dev.duoka.data.chat;

import org.jspecify.annotations.Nullable;

/**
 * A tool that the assistant asks for.
 *
 * @param type usually {@code function}
 * @param name of the tool
 * @param arguments a JSON object, as text
 * @param id by which the answer is known; null where the record has none
 */
public record ToolCall(String type, String name, String arguments, @Nullable String id) {
  /** One without an id. */
  public ToolCall(String type, String name, String arguments) {
    this(type, name, arguments, null);
  }
}
