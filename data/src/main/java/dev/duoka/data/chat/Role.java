package dev.duoka.data.chat;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Who speaks in a chat. */
public enum Role {
  /** Instructions that hold for the whole chat. */
  SYSTEM,
  /** The person. */
  USER,
  /** The model; only its words are trained on. */
  ASSISTANT,
  /** A tool that answers a call of the model. */
  TOOL;

  /** The names that records use, in the order of the roles. */
  static final List<String> NAMES =
      List.of(
          "system",
          "developer",
          "user",
          "human",
          "assistant",
          "gpt",
          "model",
          "tool",
          "function",
          "observation",
          "tool_response");

  /**
   * The role that data calls by this name: {@code system} or {@code developer}; {@code user} or
   * {@code human}; {@code assistant}, {@code gpt} or {@code model}; {@code tool}, {@code function},
   * {@code observation} (LLaMA-Factory) or {@code tool_response} (ms-swift). Upper and lower case
   * are the same; null for others.
   */
  public static @Nullable Role named(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "system", "developer" -> SYSTEM;
      case "user", "human" -> USER;
      case "assistant", "gpt", "model" -> ASSISTANT;
      case "tool", "function", "observation", "tool_response" -> TOOL;
      default -> null;
    };
  }
}
