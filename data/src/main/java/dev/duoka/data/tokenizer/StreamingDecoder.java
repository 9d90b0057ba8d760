package dev.duoka.data.tokenizer;

/**
 * Decodes tokens one at a time and holds back the bytes of a character until it is complete.
 *
 * <p>All that {@link #add} and the final {@link #finish} return, joined, is what {@link
 * Tokenizer#decode} gives for the same ids. Not safe for use by several threads.
 */
public sealed interface StreamingDecoder permits ByteStreamDecoder, WindowDecoder {
  /** The text that this token completes; often empty within a character of several tokens. */
  String add(int id);

  /** What was held back: U+FFFD for an incomplete character. The decoder then starts anew. */
  String finish();
}
