package dev.duoka.train.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EndTokensTests {
  @TempDir Path folder;

  private final Tokenizer tokenizer = new ByteTokenizer();
  private final ModelConfig config = Presets.named("tiny-v3").withTokenIds(5, 7);

  private EndTokens ends() {
    return EndTokens.of(folder, tokenizer, config);
  }

  @Test
  void theTokenizerIsStrongerThanTheConfig() {
    assertThat(ends().ids()).containsExactly(tokenizer.eosId());
    assertThat(ends().contains(7)).as("an ordinary token").isFalse();
  }

  @Test
  void whatOtherProgramsStopAtComesFirst() throws IOException {
    Path file = folder.resolve("generation_config.json");
    Files.writeString(file, "{\"eos_token_id\": [7, 9]}");
    assertThat(ends().ids()).containsExactlyInAnyOrder(7, 9);
    Files.writeString(file, "{\"eos_token_id\": 9}");
    assertThat(ends().ids()).containsExactly(9);
    Files.writeString(file, "{\"temperature\": 0.6}");
    assertThat(ends().ids()).containsExactly(tokenizer.eosId());
    Files.writeString(file, "{\"eos_token_id\": \"</s>\"}");
    assertThatThrownBy(this::ends)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("eos_token_id");
  }

  @Test
  void aTemplateWhoseEndTheTokenizerLacksAddsNone() throws IOException {
    Files.writeString(
        folder.resolve("chat_template.jinja"), ChatTemplate.named("deepseek-coder").jinja());
    assertThat(ends().ids()).containsExactly(tokenizer.eosId());
  }
}
