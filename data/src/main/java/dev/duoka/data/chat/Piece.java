package dev.duoka.data.chat;

/**
 * A part of a rendered chat.
 *
 * @param kind how {@code text} becomes tokens
 * @param text the words, or the name of a token; empty for bos and eos
 * @param trainable whether the model learns to write it: the assistant's words and the end marker
 *     behind them
 */
public record Piece(Kind kind, String text, boolean trainable) {
  /** How a piece becomes tokens. */
  public enum Kind {
    /** Words, encoded as any text. */
    TEXT,
    /** One token, given by its name. */
    TOKEN,
    /** The tokenizer's token that begins a document; nothing where it has none. */
    BOS,
    /** The tokenizer's token that ends a document. */
    EOS
  }

  static final Piece BOS = new Piece(Kind.BOS, "", false);
  static final Piece END = new Piece(Kind.EOS, "", true);

  /** Words that the model only reads. */
  static Piece read(String text) {
    return new Piece(Kind.TEXT, text, false);
  }

  /** Words that the model learns to write. */
  static Piece write(String text) {
    return new Piece(Kind.TEXT, text, true);
  }

  static Piece token(String name, boolean trainable) {
    return new Piece(Kind.TOKEN, name, trainable);
  }
}
