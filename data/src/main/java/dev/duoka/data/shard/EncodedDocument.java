package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** The tokens of one document and which of them the loss may ask for. */
public final class EncodedDocument {
  private final int[] tokens;
  private final @Nullable BitSet lossMask;

  private EncodedDocument(int[] tokens, @Nullable BitSet lossMask) {
    this.tokens = tokens;
    this.lossMask = lossMask;
  }

  /** A document whose every token is trained on. The array is kept, not copied. */
  public static EncodedDocument of(int[] tokens) {
    return new EncodedDocument(tokens, null);
  }

  /**
   * A document of which only the tokens whose bit is set are trained on (as targets). Both
   * arguments are kept, not copied.
   */
  public static EncodedDocument masked(int[] tokens, BitSet lossMask) {
    if (lossMask.length() > tokens.length) {
      throw new DuokaException(
          ErrorCode.DATA,
          "a loss mask of " + lossMask.length() + " bits does not fit " + tokens.length + " tokens",
          "Set bits for existing tokens only.");
    }
    return new EncodedDocument(tokens, lossMask);
  }

  /** The token ids; the array itself, not a copy. */
  public int[] tokens() {
    return tokens;
  }

  /** One bit per token, set where the token is a target; null where all are. */
  public @Nullable BitSet lossMask() {
    return lossMask;
  }
}
