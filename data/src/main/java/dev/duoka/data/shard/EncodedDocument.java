package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.BadRecordException;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tokens of one document and which of them the loss may ask for. */
public final class EncodedDocument {
  private final int[] tokens;
  private final @Nullable BitSet lossMask;
  private final Notes notes;

  /**
   * What an encoder has to say of a document that it encoded.
   *
   * @param fault for which only the beginning was encoded; null where all of it was
   * @param remarks what is worth counting
   * @param form of the record, which is compared with others of its file; empty for none
   */
  public record Notes(@Nullable BadRecordException fault, List<String> remarks, String form) {
    /** Nothing to say. */
    public static final Notes NONE = new Notes(null, List.of(), "");

    public Notes {
      remarks = List.copyOf(remarks);
    }
  }

  private EncodedDocument(int[] tokens, @Nullable BitSet lossMask, Notes notes) {
    this.tokens = tokens;
    this.lossMask = lossMask;
    this.notes = notes;
  }

  /** The same document with notes. */
  public EncodedDocument with(Notes other) {
    return new EncodedDocument(tokens, lossMask, other);
  }

  /** What the encoder has to say of it. */
  public Notes notes() {
    return notes;
  }

  /** A document whose every token is trained on. The array is kept, not copied. */
  public static EncodedDocument of(int[] tokens) {
    return new EncodedDocument(tokens, null, Notes.NONE);
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
    return new EncodedDocument(tokens, lossMask, Notes.NONE);
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
