package dev.duoka.train.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.data.tokenizer.ByteTokenizer;
import org.junit.jupiter.api.Test;

class WrittenTextTests {
  @Test
  void whatNoTokenizerKnowsIsNoText() {
    ByteTokenizer bytes = new ByteTokenizer();
    assertThat(WrittenText.of(bytes.encode("yes"), bytes)).isEqualTo("yes");
    assertThat(WrittenText.of(new int[] {'a', 5000, 'b', 9999}, bytes)).isEqualTo("a\uFFFDb\uFFFD");
    assertThat(WrittenText.of(new int[] {}, bytes)).isEmpty();
  }
}
