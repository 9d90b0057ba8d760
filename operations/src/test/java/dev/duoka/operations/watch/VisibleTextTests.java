package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class VisibleTextTests {
  @Test
  void controlsAreShown() {
    assertThat(VisibleText.of("\033[31mred\r\7\177\n\tend")).isEqualTo("␛[31mred␍␇␡\n\tend");
    assertThat(VisibleText.of("\u009b2J \u202e \u2066 \u200b \u2028"))
        .isEqualTo("\\u009b2J \\u202e \\u2066 \\u200b \\u2028");
    assertThat(VisibleText.line("a\nb")).isEqualTo("a␊b");
    assertThat(VisibleText.of("损失 é 😀")).isEqualTo("损失 é 😀");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HF_TOKEN=planted-secret",
        "{\"password\": \"planted-secret\"}",
        "Authorization: Bearer planted-secret",
        "sent with bearer planted-secret",
        "https://me:planted-secret@example.org/hook",
        "POST https://example.org/?access_token=planted-secret&x=1",
        "AWS_SECRET_ACCESS_KEY = planted-secret",
      })
  void secretsAreLeftOut(String text) {
    assertThat(VisibleText.of(text)).doesNotContain("planted").contains("•••");
  }

  @Test
  void numbersOfTokensStay() {
    String text = "step 3: 2048 tokens, 4000 tokens/s; tokens: 12, tokenizer: gpt2-like";
    assertThat(VisibleText.of(text)).isEqualTo(text);
  }
}
