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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTests {
  private static final String LLM =
      "{% for m in messages %}{% if m.role == 'user' %}{{ 'User: ' + m.content }}{% else %}"
          + "{{ 'Assistant: ' + m.content + eos_token }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";
  private static final String CODER =
      "{% for m in messages %}{% if m.role == 'user' %}{{ '### Instruction:' + m.content }}"
          + "{% else %}{{ '### Response:' + m.content + '<|EOT|>' }}{% endif %}{% endfor %}";
  private static final String V3 =
      "{% for m in messages %}{% if m.role == 'user' %}{{ '<｜User｜>' + m.content }}"
          + "{% else %}{{ '<｜Assistant｜>' + m.content + '<｜end▁of▁sentence｜>' }}{% endif %}"
          + "{% endfor %}";

  @TempDir Path folder;

  @Test
  void recognisesTheFamiliesByTheirMarkers() throws IOException {
    assertThat(ofFile(LLM)).isEqualTo(ChatTemplate.named("deepseek-llm"));
    assertThat(ofFile(CODER)).isEqualTo(ChatTemplate.named("deepseek-coder"));
    assertThat(ofFile(V3)).isEqualTo(ChatTemplate.named("deepseek-v3"));
    assertThat(ChatTemplate.of("plain")).isEqualTo(ChatTemplate.named("plain"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ '<|im_start|>user' + 'User: ' + 'Assistant: ' + eos_token }}",
        "{% if thinking %}{{ '<｜User｜>' + '<｜Assistant｜></think>' }}{% endif %}",
        ""
      })
  void refusesTheTemplatesOfOtherModels(String jinja) {
    assertThatThrownBy(() -> ofFile(jinja))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("t.jinja is none of those that are built in")
        .hasMessageContaining("plain, deepseek-llm");
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
    config("{\"chat_template\": %s}".formatted(quoted(LLM)));
    assertThat(ChatTemplate.ofTokenizer(folder.toString())).isInstanceOf(LlmTemplate.class);
    config(
        "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"\"},"
            + " {\"name\": \"default\", \"template\": %s}]}".formatted(quoted(CODER)));
    String file = folder.resolve("tokenizer.json").toString();
    assertThat(ChatTemplate.ofTokenizer(file)).isInstanceOf(CoderTemplate.class);
    // The newer file goes first, as in transformers.
    Files.writeString(folder.resolve("chat_template.jinja"), V3);
    assertThat(ChatTemplate.ofTokenizer(file)).isInstanceOf(V3Template.class);
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
