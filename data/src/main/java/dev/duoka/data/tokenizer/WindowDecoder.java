package dev.duoka.data.tokenizer;

import java.util.Arrays;
import java.util.function.Function;

/**
 * For tokenizers whose tokens' text depends on their neighbours (SentencePiece style: the first
 * space is dropped, {@code <0xNN>} tokens join to characters).
 *
 * <p>It decodes a short window of tokens with and without the new one and returns the difference.
 * The window begins at the last token whose text was complete; as that token's own text is cut off
 * the difference, it does not matter that its leading space is dropped.
 */
final class WindowDecoder implements StreamingDecoder {
  private static final int LONGEST_WINDOW = 64;

  private final Function<int[], String> decode;
  private int[] window = new int[0];
  private String shown = "";

  /**
   * @param decode the text of ids, treating the first as the beginning of the text
   */
  WindowDecoder(Function<int[], String> decode) {
    this.decode = decode;
  }

  @Override
  public String add(int id) {
    window = Arrays.copyOf(window, window.length + 1);
    window[window.length - 1] = id;
    String text = decode.apply(window);
    boolean complete = !text.endsWith("\uFFFD") || window.length > LONGEST_WINDOW;
    if (!complete || !text.startsWith(shown)) {
      return "";
    }
    String fresh = text.substring(shown.length());
    if (!text.isEmpty()) {
      window = new int[] {id};
      shown = decode.apply(window);
    }
    return fresh;
  }

  @Override
  public String finish() {
    String text = window.length == 0 ? "" : decode.apply(window);
    String rest = text.startsWith(shown) ? text.substring(shown.length()) : "";
    window = new int[0];
    shown = "";
    return rest;
  }
}
