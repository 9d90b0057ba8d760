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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Templates write what they write elsewhere, the built-in ones and those made like what model
 * families publish; tools/render-chat-templates ran them with Jinja2.
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
    ChatTemplate template = Templates.named(rendered.get("template").stringValue());
    ChatRecord record = ChatRecords.parse(rendered.toString(), "rendered.json");
    String text =
        new ChatRenderer(template, MarkedBytes.tokenizer())
            .render(record, rendered.get("prompt").booleanValue())
            .text();
    assertThat(MarkedBytes.shown(text)).isEqualTo(rendered.get("text").stringValue());
  }

  @Test
  void theRenderingsAreThoseOfTodaysTexts() {
    data()
        .get("sha256")
        .properties()
        .forEach(
            entry ->
                assertThat(entry.getValue().stringValue())
                    .as("%s.jinja changed: run tools/render-chat-templates", entry.getKey())
                    .isEqualTo(
                        HexFormat.of()
                            .formatHex(
                                Sha256.of(
                                    Templates.named(entry.getKey())
                                        .jinja()
                                        .getBytes(StandardCharsets.UTF_8)))));
    for (String name : ChatTemplate.NAMES) {
      assertThat(data().get("sha256").has(ChatTemplate.named(name).name())).isTrue();
    }
  }
}
