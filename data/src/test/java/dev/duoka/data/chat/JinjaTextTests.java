package dev.duoka.data.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * The Jinja texts write what the built-in templates write; tools/render-chat-templates ran them.
 */
final class JinjaTextTests {
  private static JsonNode data() {
    try (InputStream stream = JinjaTextTests.class.getResourceAsStream("rendered.json")) {
      return Json.parse(
          Objects.requireNonNull(stream).readAllBytes(), "rendered.json", ErrorCode.FORMAT);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<JsonNode> cases() {
    List<JsonNode> cases = new ArrayList<>();
    data().get("cases").forEach(cases::add);
    return cases;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void jinjaWritesTheSame(JsonNode rendered) {
    ChatTemplate template = ChatTemplate.named(rendered.get("template").asString());
    String record = "{\"messages\": " + rendered.get("messages") + "}";
    List<Message> messages = ChatRecords.parse(record, "rendered.json");
    List<Piece> pieces =
        rendered.get("prompt").asBoolean() ? template.prompt(messages) : template.render(messages);
    String text =
        pieces.stream()
            .map(
                piece ->
                    switch (piece.kind()) {
                      case BOS -> "<bos>";
                      case EOS -> "<eos>";
                      case TOKEN, TEXT -> piece.text();
                    })
            .collect(Collectors.joining());
    assertThat(text).isEqualTo(rendered.get("text").asString());
  }

  @Test
  void theRenderingsAreThoseOfTodaysTexts() {
    for (String name : List.of("plain", "deepseek-llm", "deepseek-coder", "deepseek-v3")) {
      String jinja = ChatTemplate.named(name).jinja();
      assertThat(data().get("sha256").get(name).asString())
          .as("%s.jinja changed: run tools/render-chat-templates", name)
          .isEqualTo(HexFormat.of().formatHex(Sha256.of(jinja.getBytes(StandardCharsets.UTF_8))));
      assertThat(TemplateRecognition.recognised(jinja).orElseThrow().name()).isEqualTo(name);
    }
  }
}
