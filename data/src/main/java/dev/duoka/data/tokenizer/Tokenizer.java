package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.file.Path;

/**
 * Turns text into token ids and back.
 *
 * <p>Implementations are immutable and safe for use by any number of threads at once; encoding
 * allocates no shared state and takes no lock.
 *
 * <pre>{@code
 * Tokenizer tokenizer = Tokenizer.load("models/deepseek-v3");
 * int[] ids = tokenizer.encode("int x = 1;");
 * String text = tokenizer.decode(ids); // the same text again
 * }</pre>
 */
public sealed interface Tokenizer permits ByteTokenizer, HfTokenizer {
  /** The id that stands for "this tokenizer has no such token". */
  int NONE = -1;

  /**
   * The tokenizer of that name: {@code bytes} for {@link ByteTokenizer}, otherwise the path of a
   * {@code tokenizer.json} or of a folder that holds one.
   *
   * @throws DuokaException if there is no such file, or it is not of a supported kind
   */
  static Tokenizer load(String nameOrPath) {
    return nameOrPath.equals(ByteTokenizer.NAME)
        ? new ByteTokenizer()
        : HfTokenizer.read(Path.of(nameOrPath));
  }

  /** One more than the largest id: the least number of rows of a model's embedding. */
  int vocabularySize();

  /**
   * The ids of a text, without any token added in front or behind.
   *
   * <p>A surrogate without its partner, which is no Unicode text, is read as U+FFFD.
   */
  int[] encode(String text);

  /**
   * The ids of a text as the model expects a prompt: {@link #encode} with the tokens that the
   * tokenizer's files put around a text, usually {@link #bosId} in front.
   */
  int[] encodeWithSpecialTokens(String text);

  /**
   * The text of the ids, special tokens written by their names; bytes that are no UTF-8 become
   * U+FFFD.
   *
   * @throws DuokaException if an id is outside the vocabulary; ids between 0 and {@link
   *     #vocabularySize} that no token has give no text
   */
  String decode(int[] ids);

  /** As {@link #decode}, for tokens that come one at a time. */
  StreamingDecoder streamingDecoder();

  /** Whether the id is a special token: one that marks structure and is not shown as text. */
  boolean isSpecial(int id);

  /** The id of the token whose text is exactly this one, for instance an end marker; or NONE. */
  int idOf(String token);

  /** The token that begins a document, or {@link #NONE}. */
  int bosId();

  /** The token that ends a document, or {@link #NONE}. */
  int eosId();

  /**
   * The token that ends a document.
   *
   * @throws DuokaException if the tokenizer has none
   */
  default int requireEosId() {
    if (eosId() == NONE) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the tokenizer " + describe() + " names no end-of-text token",
          "Put a tokenizer_config.json with eos_token beside tokenizer.json");
    }
    return eosId();
  }

  /** The token that fills up a batch, or {@link #NONE}. */
  int padId();

  /**
   * A hash (64 hexadecimal digits) of everything that decides about ids: two tokenizers with the
   * same fingerprint give the same ids, so tokens stored under it can be used again.
   */
  String fingerprint();

  /** One line for people: kind, vocabulary size and where it came from. */
  String describe();
}
