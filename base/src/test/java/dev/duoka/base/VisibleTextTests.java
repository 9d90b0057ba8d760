package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class VisibleTextTests {
  @Test
  void whatWouldBeObeyedIsShown() {
    assertThat(VisibleText.of("a\tb\nc\r\u001b[31m\u0007\u007f")).isEqualTo("a→b↵\nc␍␛[31m␇␡");
    assertThat(VisibleText.of("\u0085\u009b2J\u202e\u200b\ufeff\ud800\ufdd0\u2028"))
        .isEqualTo("⟨U+0085⟩⟨U+009B⟩2J⟨U+202E⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+D800⟩⟨U+FDD0⟩⟨U+2028⟩");
  }

  @Test
  void aLogKeepsItsLayout() {
    assertThat(VisibleText.withLayout("a\tb\r\n\u001b[1m")).isEqualTo("a\tb␍\n␛[1m");
  }

  @Test
  void everythingElseStays() {
    String text = "Hällo 你好 😀 a\u0301 <|im_end|> \u3000";
    assertThat(VisibleText.of(text)).isEqualTo(text);
  }

  @Test
  void noControlCharacterButTheLineFeedIsLeft() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      assertThat(VisibleText.of(Character.toString(c)).codePoints())
          .as("U+%04X", c)
          .noneMatch(shown -> shown != '\n' && Character.isISOControl(shown));
    }
  }
}
