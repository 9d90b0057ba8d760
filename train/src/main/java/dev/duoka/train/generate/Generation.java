package dev.duoka.train.generate;

import java.util.List;

/**
 * What was generated.
 *
 * @param text without the prompt and without special tokens
 * @param tokens the ids, an end token included
 * @param promptTokens how many ids the prompt had
 * @param end why it stopped
 * @param seconds from the prompt to the last token
 */
public record Generation(
    String text, List<Integer> tokens, int promptTokens, End end, double seconds) {
  /** Why a text ends. */
  public enum End {
    /** The model ended it. */
    END_TOKEN,
    /** As many tokens as asked for. */
    MAX_TOKENS,
    /** The model has no further positions. */
    CONTEXT_FULL
  }
}
