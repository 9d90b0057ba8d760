package dev.duoka.data.shard;

import dev.duoka.data.source.Document;
import java.util.OptionalInt;

/**
 * Encodes plain text for pre-training: the text's tokens, the end token after them and, where the
 * tokenizer wants it, the beginning token before them. Empty text gives no tokens at all.
 */
public final class TextDocumentEncoder implements DocumentEncoder {
  /** A tokenizer's text-to-ids function, without any special tokens added. */
  @FunctionalInterface
  public interface TextTokenizer {
    /** The ids of a text; called by many threads at once. */
    int[] encode(String text);
  }

  private final TextTokenizer tokenizer;
  private final String fingerprint;
  private final int vocabularySize;
  private final OptionalInt beginning;
  private final int end;

  /**
   * @param fingerprint identifies the tokenizer, for example a hash of its file
   * @param beginning the BOS id, where documents start with one
   * @param end the EOS id that closes every document
   */
  public TextDocumentEncoder(
      TextTokenizer tokenizer,
      String fingerprint,
      int vocabularySize,
      OptionalInt beginning,
      int end) {
    this.tokenizer = tokenizer;
    this.fingerprint = fingerprint;
    this.vocabularySize = vocabularySize;
    this.beginning = beginning;
    this.end = end;
  }

  @Override
  public EncodedDocument encode(Document document) {
    int[] ids = document.text().isEmpty() ? new int[0] : tokenizer.encode(document.text());
    if (ids.length == 0) {
      return EncodedDocument.of(ids);
    }
    int before = beginning.isPresent() ? 1 : 0;
    int[] tokens = new int[before + ids.length + 1];
    if (beginning.isPresent()) {
      tokens[0] = beginning.getAsInt();
    }
    System.arraycopy(ids, 0, tokens, before, ids.length);
    tokens[tokens.length - 1] = end;
    return EncodedDocument.of(tokens);
  }

  @Override
  public String fingerprint() {
    return "text " + fingerprint + " begin " + beginning + " end " + end;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public boolean hasLossMask() {
    return false;
  }
}
