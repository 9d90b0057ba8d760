package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.data.tokenizer.ByteTokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

  /**
   * The template of that name, or the one that a Jinja file stands for.
   *
   * @throws DuokaException if there is neither, or the file is of no known template
   */
  static ChatTemplate of(String nameOrFile) {
    Path file = Path.of(nameOrFile);
    if (NAMES.contains(nameOrFile) || !Files.isRegularFile(file)) {
      return named(nameOrFile);
    }
    return TemplateRecognition.recognised(jinjaOf(nameOrFile))
        .orElseThrow(() -> unknown(nameOrFile));
  }

  /** The Jinja text of {@link #of}: the file's own, or that of the built-in template. */
  static String jinjaOf(String nameOrFile) {
    Path file = Path.of(nameOrFile);
    return NAMES.contains(nameOrFile) || !Files.isRegularFile(file)
        ? named(nameOrFile).jinja()
        : new String(TemplateRecognition.bytes(file), StandardCharsets.UTF_8);
  }

  /**
   * The template that belongs to a tokenizer, by the {@code chat_template.jinja} or {@code
   * tokenizer_config.json} of its folder.
   *
   * @param tokenizer as the run file names it
   * @throws DuokaException if there is none, or it is none of the known ones
   */
  static ChatTemplate ofTokenizer(String tokenizer) {
    Optional<String> jinja =
        tokenizer.equals(ByteTokenizer.NAME)
            ? Optional.empty()
            : TemplateRecognition.jinjaBeside(Path.of(tokenizer));
    if (jinja.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "data.format is chat and data.chat_template is not set, but the tokenizer "
              + tokenizer
              + " brings no chat template",
          "Set data.chat_template to one of " + String.join(", ", NAMES));
    }
    return TemplateRecognition.recognised(jinja.get())
        .orElseThrow(() -> unknown("the tokenizer " + tokenizer));
  }

  /** The template in a model's folder, if there is one and it is one of the known. */
  static Optional<ChatTemplate> recognisedIn(Path folder) {
    return TemplateRecognition.jinjaBeside(folder).flatMap(TemplateRecognition::recognised);
  }

  private static DuokaException unknown(String where) {
    return new DuokaException(
        ErrorCode.CONFIG,
        "the chat template of " + where + " is none of those that are built in",
        "Set data.chat_template to one of " + String.join(", ", NAMES));
  }

  /** The token, other than eos, that ends an assistant's turn. */
  default Optional<String> endOfTurn() {
    return Optional.empty();
  }

  /** The same template in Jinja, for programs that know no other form. */
  default String jinja() {
    return TemplateRecognition.resource(name());
  }

  /** The name by which {@link #named} gives it. */
  String name();

  /** The whole chat as it is trained on. */
  List<Piece> render(List<Message> messages);

  /** What stands behind a chat when it is the assistant's turn to speak. */
  List<Piece> turn();

  /** The chat so far and then the assistant's turn. */
  default List<Piece> prompt(List<Message> messages) {
    List<Piece> pieces = new ArrayList<>(render(messages));
    pieces.addAll(turn());
    return pieces;
  }

  /** Refuses messages that a template has no place for. */
  static void refuseTools(String template, List<Message> messages) {
    for (Message message : messages) {
      if (message.role() == Role.TOOL || !message.toolCalls().isEmpty()) {
        throw new DuokaException(
            ErrorCode.DATA,
            "a chat has tool calls or what tools answered, for which the chat template "
                + template
                + " has no place",
            "Use data.chat_template deepseek-v3, or leave such chats out.");
      }
    }
  }
}
