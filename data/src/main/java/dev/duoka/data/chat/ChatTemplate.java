package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.base.Sha256;
import dev.duoka.data.jinja.Jinja;
import dev.duoka.data.jinja.Limits;
import dev.duoka.data.jinja.Rendering;
import dev.duoka.data.jinja.Value;
import dev.duoka.data.tokenizer.ByteTokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a model family writes a chat as one text: a template in Jinja, run as it is published. The
 * built-in ones are the families of DeepSeek, in Jinja texts of ours that write the same.
 */
public final class ChatTemplate {
  /** The names that {@link #named} knows. */
  public static final List<String> NAMES =
      List.of("plain", "deepseek-llm", "deepseek-v2", "deepseek-coder", "deepseek-v3");

  /**
   * What templates take for now. It never changes, so that the same data gives the same tokens on
   * any day; the date is the one to which Llama 3's template itself falls back.
   */
  static final LocalDateTime NOW = LocalDateTime.of(2024, 7, 26, 0, 0);

  /**
   * A built-in template.
   *
   * @param tokens that a tokenizer must have for it, besides its end token
   * @param fingerprint by which caches know its tokens
   */
  private record BuiltIn(String name, List<String> tokens, String fingerprint) {}

  // Sources: README, "Chat Completion", of github.com/deepseek-ai/DeepSeek-LLM, DeepSeek-V2 and
  // DeepSeek-Coder; "chat_template" of tokenizer_config.json of deepseek-ai/deepseek-llm-7b-chat,
  // DeepSeek-V2-Chat, deepseek-coder-6.7b-instruct and DeepSeek-V3. That of V3 forgets the end of a
  // single tool call and the markers of a second round, which ours writes as the first one.
  private static final List<BuiltIn> BUILT_IN =
      List.of(
          new BuiltIn("plain", List.of(), "PlainTemplate"),
          new BuiltIn("deepseek-llm", List.of(), "LlmTemplate"),
          new BuiltIn("deepseek-coder", List.of("<|EOT|>"), "CoderTemplate"),
          new BuiltIn("deepseek-v3", List.of("<｜User｜>", "<｜Assistant｜>"), "V3Template"));

  private final String name;
  private final String text;
  private final Jinja jinja;
  private final @Nullable BuiltIn builtIn;

  private ChatTemplate(String name, String text) {
    this.name = name;
    this.text = text;
    this.jinja = Jinja.parse(name, text, Limits.USUAL);
    this.builtIn =
        BUILT_IN.stream()
            .filter(known -> TemplateFiles.resource(known.name()).equals(text))
            .findFirst()
            .orElse(null);
  }

  /**
   * The built-in template of that name, one of {@link #NAMES}.
   *
   * @throws DuokaException if there is none
   */
  public static ChatTemplate named(String name) {
    if (!NAMES.contains(name)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "there is no chat template '" + name + "'",
          NearestName.hint(name, NAMES) + " A Jinja file is a template, too.");
    }
    String own = name.equals("deepseek-v2") ? "deepseek-llm" : name;
    return new ChatTemplate(own, TemplateFiles.resource(own));
  }

  /**
   * The built-in template of that name, or the one in a Jinja file.
   *
   * @throws DuokaException if there is neither, or the file is no template
   */
  public static ChatTemplate of(String nameOrFile) {
    Path file = Path.of(nameOrFile);
    return NAMES.contains(nameOrFile) || !Files.isRegularFile(file)
        ? named(nameOrFile)
        : new ChatTemplate(nameOrFile, TemplateFiles.text(file));
  }

  /**
   * The template that belongs to a tokenizer, by the {@code chat_template.jinja} or {@code
   * tokenizer_config.json} of its folder.
   *
   * @param tokenizer as the run file names it
   * @throws DuokaException if there is none
   */
  public static ChatTemplate ofTokenizer(String tokenizer) {
    Optional<ChatTemplate> found =
        tokenizer.equals(ByteTokenizer.NAME) ? Optional.empty() : beside(Path.of(tokenizer));
    return found.orElseThrow(
        () ->
            new DuokaException(
                ErrorCode.CONFIG,
                "data.format is chat and data.chat_template is not set, but the tokenizer "
                    + tokenizer
                    + " brings no chat template",
                "Set data.chat_template to a Jinja file, or to one of "
                    + String.join(", ", NAMES)));
  }

  /**
   * The template in the folder of a model or tokenizer, if there is one.
   *
   * @throws DuokaException if it is no template
   */
  public static Optional<ChatTemplate> beside(Path tokenizer) {
    return TemplateFiles.jinjaBeside(tokenizer)
        .map(text -> new ChatTemplate("of " + tokenizer, text));
  }

  /** A template from its Jinja text; errors call it by the name. */
  public static ChatTemplate ofJinja(String name, String text) {
    return new ChatTemplate(name, text);
  }

  /** What errors call it: its own name if it is built in, else its file. */
  public String name() {
    return name;
  }

  /** Its text in Jinja. */
  public String jinja() {
    return text;
  }

  /** Tokens that its tokenizer must have. */
  List<String> requiredTokens() {
    return builtIn == null ? List.of() : builtIn.tokens();
  }

  /** Whether it reads a variable of that name. */
  boolean reads(String variable) {
    return jinja.reads(variable);
  }

  /** What its text depends on, the day included. */
  public String fingerprint() {
    return builtIn != null
        ? builtIn.fingerprint()
        : "jinja "
            + HexFormat.of().formatHex(Sha256.of(text.getBytes(StandardCharsets.UTF_8)))
            + (reads("strftime_now") ? " at " + NOW : "");
  }

  Rendering render(Map<String, Value> variables) {
    return jinja.render(variables, NOW);
  }
}
