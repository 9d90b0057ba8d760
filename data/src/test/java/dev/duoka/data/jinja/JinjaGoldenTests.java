package dev.duoka.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Templates give what Jinja2 gives for them; tools/render-jinja ran it. */
class JinjaGoldenTests {
  static final LocalDateTime NOW = LocalDateTime.of(2024, 7, 6, 13, 5, 9);

  private static final JsonNode DATA = data();

  private static JsonNode data() {
    try (InputStream stream = JinjaGoldenTests.class.getResourceAsStream("rendered.json")) {
      return Json.parse(
          Objects.requireNonNull(stream).readAllBytes(), "rendered.json", ErrorCode.FORMAT);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static Map<String, Value> variables() {
    Map<String, Value> variables = new HashMap<>();
    DATA.get("variables")
        .properties()
        .forEach(entry -> variables.put(entry.getKey(), JsonValues.of(entry.getValue())));
    return variables;
  }

  /** The templates that Jinja2 renders, and what comes out. */
  static List<JsonNode> rendered() {
    return cases(true);
  }

  /** The templates that Jinja2 refuses. */
  static List<JsonNode> refused() {
    return cases(false);
  }

  private static List<JsonNode> cases(boolean rendered) {
    List<JsonNode> cases = new ArrayList<>();
    for (JsonNode one : DATA.get("cases")) {
      if (one.has("text") == rendered) {
        cases.add(one);
      }
    }
    return cases;
  }

  @ParameterizedTest
  @MethodSource("rendered")
  void givesWhatJinja2Gives(JsonNode one) {
    assertThat(render(one)).isEqualTo(one.get("text").stringValue());
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesWhatJinja2Refuses(JsonNode one) {
    assertThatThrownBy(() -> render(one))
        .isInstanceOf(DuokaException.class)
        .hasMessageMatching("(?s)cannot (read|render) the chat template t at line 1, column .*");
  }

  private static String render(JsonNode one) {
    return Jinja.parse("t", one.get("template").stringValue(), Limits.USUAL)
        .render(variables(), NOW)
        .text();
  }
}
