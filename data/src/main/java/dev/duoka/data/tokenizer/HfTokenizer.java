package dev.duoka.data.tokenizer;

import java.nio.file.Path;

/** A Hugging Face {@code tokenizer.json}. */
public final class HfTokenizer implements Tokenizer {
  private HfTokenizer() {}

  /** Reads {@code tokenizer.json}, given as a file or as the folder that holds it. */
  public static HfTokenizer read(Path path) {
    throw new UnsupportedOperationException(path.toString());
  }

  @Override
  public int vocabularySize() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int[] encode(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String decode(int[] ids) {
    throw new UnsupportedOperationException();
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isSpecial(int id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int idOf(String token) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int bosId() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int eosId() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int padId() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String fingerprint() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String describe() {
    throw new UnsupportedOperationException();
  }
}
