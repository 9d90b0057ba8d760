package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Finds the built-in template that a model's Jinja template stands for, by the markers that it
 * writes. Jinja itself is not run: what the four DeepSeek families publish differs in system
 * prompts and tools, not in the markers.
 */
final class TemplateRecognition {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String JINJA = "chat_template.jinja";

  /** A template, what its Jinja text holds, and what only others hold. */
  private record Known(String name, List<String> markers, List<String> absent) {
    boolean matches(String jinja) {
      return markers.stream().allMatch(jinja::contains)
          && absent.stream().noneMatch(jinja::contains);
    }
  }

  /** A template for several model families has their markers, too. */
  private static final String ELSEWHERE = "<|im_start|>";

  // Sources: "chat_template" of tokenizer_config.json of deepseek-ai/DeepSeek-V3 and
  // DeepSeek-R1 (from V3.1 on "thinking" chooses between two forms, which is another template),
  // deepseek-coder-6.7b-instruct, deepseek-llm-7b-chat and DeepSeek-V2-Chat.
  private static final List<Known> KNOWN =
      List.of(
          new Known("plain", List.of("duoka: plain"), List.of()),
          new Known(
              "deepseek-v3", List.of("<｜User｜>", "<｜Assistant｜>"), List.of("thinking", ELSEWHERE)),
          new Known(
              "deepseek-coder",
              List.of("### Instruction:", "### Response:", "<|EOT|>"),
              List.of("<｜User｜>", ELSEWHERE)),
          new Known(
              "deepseek-llm",
              List.of("User: ", "Assistant:", "eos_token"),
              List.of("<｜User｜>", "### Instruction:", ELSEWHERE)));

  private TemplateRecognition() {}

  /** The template that a Jinja text stands for. */
  static Optional<ChatTemplate> recognised(String jinja) {
    return KNOWN.stream()
        .filter(known -> known.matches(jinja))
        .findFirst()
        .map(known -> ChatTemplate.named(known.name()));
  }

  /** The Jinja text that belongs to a tokenizer: of its folder, or of the folder of its file. */
  static Optional<String> jinjaBeside(Path tokenizer) {
    Path folder = Files.isDirectory(tokenizer) ? tokenizer : tokenizer.toAbsolutePath().getParent();
    if (folder == null) {
      return Optional.empty();
    }
    Path jinja = folder.resolve(JINJA);
    if (Files.isRegularFile(jinja)) {
      return Optional.of(new String(bytes(jinja), StandardCharsets.UTF_8));
    }
    Path config = folder.resolve(CONFIG);
    if (!Files.isRegularFile(config)) {
      return Optional.empty();
    }
    JsonNode template =
        Json.parse(bytes(config), config.toString(), ErrorCode.FORMAT).path("chat_template");
    if (template.isArray()) { // several templates by name
      for (JsonNode entry : template) {
        if (entry.path("name").asString("").equals("default")) {
          template = entry.path("template");
          break;
        }
      }
    }
    return template.isString() ? Optional.of(template.stringValue()) : Optional.empty();
  }

  /** Our own Jinja text of a built-in template. */
  static String resource(String name) {
    try (InputStream stream = TemplateRecognition.class.getResourceAsStream(name + ".jinja")) {
      return new String(
          Objects.requireNonNull(stream, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + e.getMessage(), "Check the file.", e);
    }
  }
}
