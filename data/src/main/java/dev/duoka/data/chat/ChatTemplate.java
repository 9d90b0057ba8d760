package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import java.util.List;

/**
 * How a model family writes a chat as one text.
 *
 * <p>Each gives, character for character, what the {@code chat_template} in the family's {@code
 * tokenizer_config.json} gives, so a model that is trained here can be used anywhere else.
 */
public sealed interface ChatTemplate permits PlainTemplate, LlmTemplate, CoderTemplate, V3Template {
  /** The names that {@link #named} knows. */
  List<String> NAMES =
      List.of("plain", "deepseek-llm", "deepseek-v2", "deepseek-coder", "deepseek-v3");

  /**
   * The template of that name, one of {@link #NAMES}.
   *
   * @throws DuokaException if there is none
   */
  static ChatTemplate named(String name) {
    return switch (name) {
      case "plain" -> new PlainTemplate();
      case "deepseek-llm", "deepseek-v2" -> new LlmTemplate();
      case "deepseek-coder" -> new CoderTemplate();
      case "deepseek-v3" -> new V3Template();
      default ->
          throw new DuokaException(
              ErrorCode.CONFIG,
              "there is no chat template '" + name + "'",
              NearestName.hint(name, NAMES));
    };
  }

  /** The whole chat as it is trained on. */
  List<Piece> render(List<Message> messages);

  /** What stands behind a chat when it is the assistant's turn to speak. */
  List<Piece> turn();
}
