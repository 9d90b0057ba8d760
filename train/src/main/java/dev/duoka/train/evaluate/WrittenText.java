package dev.duoka.train.evaluate;

import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * What a model wrote, as text. A model's vocabulary may be larger than its tokenizer's: what it
 * writes of the rest is no text, and shown as a replacement character.
 */
final class WrittenText {
  private static final String NO_TEXT = "\uFFFD";

  private WrittenText() {}

  static String of(int[] ids, Tokenizer tokenizer) {
    StringBuilder text = new StringBuilder();
    int from = 0;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] >= tokenizer.vocabularySize()) {
        text.append(tokenizer.decode(Arrays.copyOfRange(ids, from, i))).append(NO_TEXT);
        from = i + 1;
      }
    }
    return text.append(tokenizer.decode(Arrays.copyOfRange(ids, from, ids.length))).toString();
  }
}
