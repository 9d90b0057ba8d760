package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Locale;

/**
 * Sequences of whole documents, for fine-tuning on conversations: one in each, or as many as fit
 * side by side. The rest of a sequence is padding, which is never a target. A document that is
 * longer than a sequence is cut ({@link Excerpts} says where), and one without a token to learn is
 * left out.
 *
 * <p>What is packed together is decided once; the shuffle changes the order of sequences.
 */
public final class DocumentSequences extends SequenceSet {
  /** How many documents a sequence takes. */
  public enum Packing {
    /** A single one. */
    ONE_EACH,
    /** As many as fit. */
    BEST_FIT
  }

  private final Excerpts excerpts;
  private final int length;
  private final int padToken;

  /** Excerpts, sequence by sequence. */
  private final int[] packed;

  /** Where each sequence begins in {@link #packed}, and then its length. */
  private final int[] sequenceStarts;

  private DocumentSequences(
      Excerpts excerpts, int length, int padToken, BestFitPacking packing, boolean apart) {
    super(apart);
    this.excerpts = excerpts;
    this.length = length;
    this.padToken = padToken;
    this.packed = packing.packed();
    this.sequenceStarts = packing.sequenceStarts();
  }

  /**
   * Puts the documents of a subset into sequences.
   *
   * @param length input tokens of each sequence; a document of up to {@code length + 1} tokens is
   *     kept whole
   * @param padToken fills what is left of a sequence, usually the end token
   * @param apart whether documents of a sequence do not see each other
   * @throws DuokaException if the subset has no documents, or nothing to learn in any
   */
  public static DocumentSequences of(
      DocumentSubset subset, int length, int padToken, Packing packing, boolean apart) {
    SequenceLength.check(length);
    String part = subset.part().name().toLowerCase(Locale.ROOT);
    if (subset.documents() == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "the %s part of the data has none of the %d documents"
              .formatted(part, subset.shards().documents()),
          "Change data.validation_fraction, or add data.");
    }
    Excerpts excerpts = Excerpts.of(subset, length + 1);
    if (excerpts.count() == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "none of the %d documents in the %s part of the data has a token to learn"
              .formatted(subset.documents(), part),
          "Check that the chats have answers of the assistant, or raise data.sequence_length.");
    }
    BestFitPacking windows =
        switch (packing) {
          case ONE_EACH -> BestFitPacking.oneEach(excerpts.count());
          case BEST_FIT -> BestFitPacking.of(excerpts.lengths(), length + 1);
        };
    return new DocumentSequences(excerpts, length, padToken, windows, apart);
  }

  /** How many documents were longer than a sequence and lost a part; worth a notice. */
  public long cutDocuments() {
    return excerpts.cut();
  }

  /** How many tokens those documents have beyond a sequence, of which nothing is seen. */
  public long cutTokens() {
    return excerpts.cutTokens();
  }

  /** Tokens of the longest document. */
  public long longestDocument() {
    return excerpts.longest();
  }

  /** How many documents were left out because they have nothing to learn; worth a notice. */
  public long documentsWithoutTargets() {
    return excerpts.withoutTargets();
  }

  /** How many input tokens of all sequences are padding. */
  public long paddingTokens() {
    long padding = count() * length;
    for (int document : packed) {
      padding -= Math.min(length, excerpts.lengths()[document]);
    }
    return Math.max(0, padding);
  }

  @Override
  public long count() {
    return sequenceStarts.length - 1L;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  void read(long index, long cutKey, Window into) {
    into.clear();
    for (int i = sequenceStarts[(int) index]; i < sequenceStarts[(int) index + 1]; i++) {
      excerpts.read(packed[i], into);
    }
    into.pad(padToken);
  }
}
