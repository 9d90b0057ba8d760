package dev.duoka.formats.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class JsonTests {
  @TempDir Path folder;

  @Test
  void readsAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.json"), "{\"a\": [1, \"多卡\"]}");
    JsonNode root = Json.parse(file, ErrorCode.FORMAT);
    assertThat(Json.line(root)).isEqualTo("{\"a\":[1,\"多卡\"]}");
    assertThat(Json.pretty(root)).contains("\n").endsWith("}\n");
  }

  @Test
  void namesFileLineAndColumn() throws IOException {
    Path file = Files.writeString(folder.resolve("a.json"), "{\"a\": 1,\n  \"b\": x}");
    assertThatThrownBy(() -> Json.parse(file, ErrorCode.CONFIG))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining("a.json")
        .hasMessageContaining("line 2, column 8");
  }

  @Test
  void saysNothingOfTheParsersOwnSettings() {
    assertThatThrownBy(() -> parse("{\"a\": [1, 2"))
        .hasMessageContaining("malformed JSON")
        .hasMessageContaining("expected close marker for Array")
        .message()
        .doesNotContain("REDACTED", "StreamReadFeature");
  }

  @Test
  void saysThatAFileIsMissing() {
    assertThatThrownBy(() -> Json.parse(folder.resolve("b.json"), ErrorCode.FORMAT))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("b.json: there is no such file");
  }

  @Test
  void refusesWhatIsNotOneJsonValue() {
    assertThatThrownBy(() -> parse("")).hasMessageContaining("it is empty");
    assertThatThrownBy(() -> parse("{\"a\": 1, \"a\": 2}")).hasMessageContaining("Duplicate");
    assertThatThrownBy(() -> parse("{} {}")).hasMessageContaining("malformed JSON at line 1");
    assertThatThrownBy(() -> parse("{\"a\": NaN}")).hasMessageContaining("NaN");
    assertThatThrownBy(() -> parse("[".repeat(65) + "]".repeat(65)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("64");
    assertThat(parse("[".repeat(64) + "]".repeat(64)).isArray()).isTrue();
  }

  @Test
  void refusesTextThatIsNotUtf8() {
    byte[] latin1 = "{\"a\": \"é\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> Json.parse(latin1, "x", ErrorCode.FORMAT))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("UTF-8");
  }

  @Test
  void readsFieldsByTypeAndNamesTheWrongOnes() {
    JsonFields fields =
        JsonFields.of(
            parse(
                "{\"n\": 3, \"x\": 1.5, \"t\": \"s\", \"b\": true, \"o\": {\"i\": \"no\"}, \"z\":"
                    + " null}"),
            "c.json",
            ErrorCode.CONFIG);
    assertThat(fields.integer("n")).isEqualTo(3);
    assertThat(fields.integer("absent", 7)).isEqualTo(7);
    assertThat(fields.integer("z", 7)).isEqualTo(7);
    assertThat(fields.isPresent("z")).isTrue();
    assertThat(fields.number("x")).isEqualTo(1.5);
    assertThat(fields.number("n", 0)).isEqualTo(3.0);
    assertThat(fields.text("t")).contains("s");
    assertThat(fields.flag("b", false)).isTrue();
    assertThatThrownBy(() -> fields.integer("x"))
        .hasMessage("cannot read c.json: field 'x' is 1.5. It must be a whole number.");
    assertThatThrownBy(() -> fields.object("o").orElseThrow().integer("i"))
        .hasMessage("cannot read c.json: field 'o.i' is \"no\". It must be a whole number.");
    assertThatThrownBy(() -> fields.integer("absent"))
        .hasMessageContaining("field 'absent' is missing");
    assertThatThrownBy(() -> JsonFields.of(parse("[1]"), "c.json", ErrorCode.CONFIG))
        .hasMessageContaining("c.json: it holds [1], not a JSON object");
  }

  private static JsonNode parse(String text) {
    return Json.parse(text.getBytes(StandardCharsets.UTF_8), "x", ErrorCode.FORMAT);
  }
}
