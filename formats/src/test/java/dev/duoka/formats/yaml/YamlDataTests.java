package dev.duoka.formats.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.JsonFields;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class YamlDataTests {
  @Test
  void valuesHaveTheirTypes() {
    JsonFields fields =
        YamlData.parse(
            "a: 1\nb: 2.5\nc: no\nd: true\ne: [x, y]\nf: {g: 10000000000}\nh:\n", "t.yaml");
    assertThat(fields.integer("a")).isEqualTo(1);
    assertThat(fields.number("b")).isEqualTo(2.5);
    assertThat(fields.text("c")).contains("no");
    assertThat(fields.flag("d", false)).isTrue();
    assertThat(fields.texts("e")).containsExactly("x", "y");
    assertThat(fields.object("f").orElseThrow().number("g")).isEqualTo(1e10);
    assertThat(fields.node("h")).isEmpty();
  }

  @Test
  void listsOfObjectsNameTheirPlaceInErrors() {
    JsonFields fields =
        YamlData.parse("cards:\n  - {name: A, watts: 700}\n  - {name: B}\n", "t.yaml");
    assertThat(fields.objects("cards")).hasSize(2);
    assertThat(fields.objects("none")).isEmpty();
    assertThatThrownBy(() -> fields.objects("cards").get(1).number("watts"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cards[1].watts")
        .hasMessageContaining("t.yaml");
  }

  @Test
  void malformedTextNamesFileAndLine(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("bad.yaml"), "a: 1\nb: [1,\n");
    assertThatThrownBy(() -> YamlData.file(file))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("bad.yaml")
        .hasMessageContaining("bad.yaml:3:1: malformed YAML");
  }

  @Test
  void anythingButAMapWithStringKeysIsRefused() {
    assertThatThrownBy(() -> YamlData.parse("- 1\n", "t")).isInstanceOf(DuokaException.class);
    assertThatThrownBy(() -> YamlData.parse("", "t")).isInstanceOf(DuokaException.class);
    assertThatThrownBy(() -> YamlData.parse("1: x\n", "t"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("quotes");
    assertThatThrownBy(() -> YamlData.parse("a: 1\na: 2\n", "t"))
        .isInstanceOf(DuokaException.class);
  }

  @Test
  void errorsNameThePlace() {
    assertThatThrownBy(() -> YamlData.parse("a: 1\nb: {c: 2, c: 3}\n", "t.yaml"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("t.yaml:2:11")
        .hasMessageContaining("'c' is given twice");
    assertThatThrownBy(() -> YamlData.parse("a: &x 1\nb: *x\n", "t.yaml"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("t.yaml:1:4")
        .hasMessageContaining("anchors");
  }

  @Test
  void aNumberInQuotesIsAName() {
    assertThat(YamlData.parse("'79': x\n", "t").text("79")).contains("x");
  }
}
