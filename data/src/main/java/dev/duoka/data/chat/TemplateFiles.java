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
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Where the Jinja texts of chat templates are. */
final class TemplateFiles {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String JINJA = "chat_template.jinja";

  private TemplateFiles() {}

  /** The Jinja text that belongs to a tokenizer: of its folder, or of the folder of its file. */
  static Optional<String> jinjaBeside(Path tokenizer) {
    Path folder = Files.isDirectory(tokenizer) ? tokenizer : tokenizer.toAbsolutePath().getParent();
    if (folder == null) {
      return Optional.empty();
    }
    Path jinja = folder.resolve(JINJA);
    if (Files.isRegularFile(jinja)) {
      return Optional.of(text(jinja));
    }
    Path config = folder.resolve(CONFIG);
    if (!Files.isRegularFile(config)) {
      return Optional.empty();
    }
    JsonNode template = Json.parse(config, ErrorCode.FORMAT).path("chat_template");
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
    try (InputStream stream = TemplateFiles.class.getResourceAsStream(name + ".jinja")) {
      return new String(
          Objects.requireNonNull(stream, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + e.getMessage(), "Check the file.", e);
    }
  }
}
