package dev.duoka.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTests {
  @TempDir Path folder;

  @Test
  void isAJinjaFileAsItStands() throws IOException {
    String jinja = "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}";
    ChatTemplate template = ofFile(jinja);
    assertThat(template.jinja()).isEqualTo(jinja);
    assertThat(template.name()).endsWith("t.jinja");
    assertThat(template.reads("eos_token")).isTrue();
    assertThat(template.reads("tools")).isFalse();
  }

  @Test
  void namesThePlaceWhereAFileIsNoTemplate() {
    assertThatThrownBy(() -> ofFile("{% for m in messages %}\n{{ m.content | uper }}{% endfor %}"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("t.jinja at line 2, column 14")
        .hasMessageContaining("Did you mean 'upper'?");
  }

  @Test
  void cachesKnowTheBuiltInOnesByTheirFormerNames() throws IOException {
    assertThat(ChatTemplate.named("plain").fingerprint()).isEqualTo("PlainTemplate");
    assertThat(ChatTemplate.named("deepseek-v2").fingerprint()).isEqualTo("LlmTemplate");
    assertThat(ChatTemplate.named("deepseek-coder").fingerprint()).isEqualTo("CoderTemplate");
    assertThat(ofFile(ChatTemplate.named("deepseek-v3").jinja()).fingerprint())
        .as("what a checkpoint of ours keeps")
        .isEqualTo("V3Template");
    String one = ofFile("{{ messages }}").fingerprint();
    assertThat(one).startsWith("jinja ").doesNotContain(" at ");
    assertThat(ofFile("{{ messages }} ").fingerprint()).isNotEqualTo(one);
    assertThat(ofFile("{{ strftime_now('%Y') }}").fingerprint()).endsWith(" at 2024-07-26T00:00");
  }

  @Test
  void namesWhatExistsWhereThereIsNeitherNameNorFile() {
    assertThatThrownBy(() -> ChatTemplate.of("./tmpl.jinja"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("there is no chat template './tmpl.jinja'")
        .hasMessageContaining("deepseek-coder");
  }

  @Test
  void comesWithTheTokenizer() throws IOException {
    assertThatThrownBy(() -> ChatTemplate.ofTokenizer("bytes"))
        .hasMessageContaining("the tokenizer bytes brings no chat template")
        .hasMessageContaining("plain");
    assertThatThrownBy(() -> ChatTemplate.ofTokenizer(folder.toString()))
        .hasMessageContaining("brings no chat template");
    config("{}");
    assertThatThrownBy(() -> ChatTemplate.ofTokenizer(folder.toString()))
        .hasMessageContaining("brings no chat template");
    config("{\"chat_template\": %s}".formatted(quoted("one")));
    assertThat(ChatTemplate.ofTokenizer(folder.toString()).jinja()).isEqualTo("one");
    config(
        "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"\"},"
            + " {\"name\": \"default\", \"template\": %s}]}".formatted(quoted("two")));
    String file = folder.resolve("tokenizer.json").toString();
    assertThat(ChatTemplate.ofTokenizer(file).jinja()).isEqualTo("two");
    // The newer file goes first, as in transformers.
    Files.writeString(folder.resolve("chat_template.jinja"), "three");
    assertThat(ChatTemplate.ofTokenizer(file).jinja()).isEqualTo("three");
  }

  @Test
  void refusesATokenizerConfigThatIsNoJson() throws IOException {
    config("{");
    for (String tokenizer : List.of(folder.toString(), folder.resolve("a.json").toString())) {
      assertThatThrownBy(() -> ChatTemplate.ofTokenizer(tokenizer))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("tokenizer_config.json");
    }
  }

  private ChatTemplate ofFile(String jinja) throws IOException {
    return ChatTemplate.of(Files.writeString(folder.resolve("t.jinja"), jinja).toString());
  }

  private void config(String json) throws IOException {
    Files.writeString(folder.resolve("tokenizer_config.json"), json);
  }

  private static String quoted(String text) {
    return Json.line(Json.object().put("t", text)).replaceAll("^.{5}|}$", "");
  }
}
