package dev.duoka.data.chat;

/**
 * A tool that the assistant asks for.
 *
 * @param type usually {@code function}
 * @param name of the tool
 * @param arguments a JSON object, as text
 */
public record ToolCall(String type, String name, String arguments) {}
