package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RedactedTextTests {
  @Test
  void controlsAreShown() {
    assertThat(RedactedText.of("\033[31mred\r\7\177\n\tend")).isEqualTo("␛[31mred␍␇␡\n\tend");
    assertThat(RedactedText.of("\u009b2J \u202e \u2066 \u200b \u2028"))
        .isEqualTo("⟨U+009B⟩2J ⟨U+202E⟩ ⟨U+2066⟩ ⟨U+200B⟩ ⟨U+2028⟩");
    assertThat(RedactedText.line("a\nb")).isEqualTo("a␊b");
    assertThat(RedactedText.of("损失 é 😀")).isEqualTo("损失 é 😀");
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
    assertThat(RedactedText.of(text)).doesNotContain("planted").contains("•••");
  }

  @Test
  void numbersOfTokensStay() {
    String text = "step 3: 2048 tokens, 4000 tokens/s; tokens: 12, tokenizer: gpt2-like";
    assertThat(RedactedText.of(text)).isEqualTo(text);
  }
}
