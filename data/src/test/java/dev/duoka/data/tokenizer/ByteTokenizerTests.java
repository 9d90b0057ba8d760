package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteTokenizerTests {
  private final Tokenizer tokenizer = Tokenizer.load("bytes");

  @Test
  void idsAreTheBytesOfUtf8() {
    assertThat(tokenizer.encode("aé€")).containsExactly('a', 0xC3, 0xA9, 0xE2, 0x82, 0xAC);
    assertThat(tokenizer.encode("<eos>")).hasSize(5);
    assertThat(tokenizer.encodeWithSpecialTokens("a")).containsExactly(256, 'a');
    assertThat(tokenizer.vocabularySize()).isEqualTo(320);
  }

  @Test
  void givesTheTextBack() {
    Random random = new Random(20260105);
    for (int i = 0; i < 500; i++) {
      String text = RandomText.next(random);
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
      String broken = RandomText.broken(random);
      assertThat(tokenizer.decode(tokenizer.encode(broken))).isEqualTo(WellFormed.text(broken));
    }
  }

  @Test
  void knowsItsSpecialTokensByName() {
    assertThat(tokenizer.idOf("<eos>")).isEqualTo(tokenizer.eosId());
    assertThat(tokenizer.idOf("a")).isEqualTo('a');
    assertThat(tokenizer.idOf("no such token")).isEqualTo(Tokenizer.NONE);
    assertThat(tokenizer.isSpecial(tokenizer.eosId())).isTrue();
    assertThat(tokenizer.isSpecial('a')).isFalse();
    assertThat(tokenizer.decode(new int[] {256, 'a', 257})).isEqualTo("<bos>a<eos>");
  }

  @Test
  void streamsWholeCharacters() {
    StreamingDecoder stream = tokenizer.streamingDecoder();
    assertThat(stream.add(0xE2)).isEmpty();
    assertThat(stream.add(0x82)).isEmpty();
    assertThat(stream.add(0xAC)).isEqualTo("€");
    assertThat(stream.add(0xE2)).isEmpty();
    assertThat(stream.add('x')).isEqualTo("\uFFFDx");
    assertThat(stream.add(0xF0)).isEmpty();
    assertThat(stream.finish()).isEqualTo("\uFFFD");
    assertThat(stream.finish()).isEmpty();
  }

  @Test
  void decodesAnyBytesAsJavaDoesExceptForEncodedSurrogates() {
    Random random = new Random(20260106);
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = new byte[random.nextInt(12)];
      random.nextBytes(bytes);
      int[] ids = new int[bytes.length];
      boolean surrogates = false;
      for (int j = 0; j < bytes.length; j++) {
        ids[j] = bytes[j] & 0xFF;
        surrogates |= ids[j] == 0xED;
      }
      if (!surrogates) {
        assertThat(tokenizer.decode(ids)).isEqualTo(new String(bytes, StandardCharsets.UTF_8));
      }
    }
    assertThat(tokenizer.decode(new int[] {0xED, 0xA0, 0x80})).isEqualTo("\uFFFD\uFFFD\uFFFD");
  }

  @Test
  void refusesIdsOutsideTheVocabulary() {
    assertThatThrownBy(() -> tokenizer.decode(new int[] {320}))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("320");
    assertThatThrownBy(() -> tokenizer.decode(new int[] {-1})).isInstanceOf(DuokaException.class);
  }
}
