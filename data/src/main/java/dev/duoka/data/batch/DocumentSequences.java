package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenShards;
import java.util.Locale;

/**
 * Sequences of whole documents, for fine-tuning on conversations: as many as fit stand side by
 * side, the rest is padding, and a document is cut only when it is longer than a sequence.
 *
 * <p>Packed once, by best fit in order of decreasing length (Johnson, "Near-optimal bin packing
 * algorithms", 1973); the shuffle changes the order of sequences, not what is packed together.
 * Padding is never a target, and is an attention segment of its own.
 */
public final class DocumentSequences extends SequenceSet {
  private final DocumentSubset subset;
  private final int length;
  private final int padToken;
  private final long cutDocuments;

  /** Documents of the shards, sequence by sequence. */
  private final int[] packed;

  /** Where each sequence begins in {@link #packed}, and then its length. */
  private final int[] sequenceStarts;

  private DocumentSequences(
      DocumentSubset subset, int length, int padToken, BestFitPacking packing) {
    this.subset = subset;
    this.length = length;
    this.padToken = padToken;
    this.cutDocuments = packing.cutDocuments();
    this.packed = packing.packed();
    this.sequenceStarts = packing.sequenceStarts();
  }

  /**
   * Packs the documents of a subset.
   *
   * @param length input tokens of each sequence; a document of up to {@code length + 1} tokens is
   *     kept whole
   * @param padToken fills what is left of a sequence, usually the end token
   * @throws DuokaException if the subset has no documents
   */
  public static DocumentSequences of(DocumentSubset subset, int length, int padToken) {
    SequenceLength.check(length);
    if (subset.documents() == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "the %s part of the data has none of the %d documents"
              .formatted(
                  subset.part().name().toLowerCase(Locale.ROOT), subset.shards().documents()),
          "Change data.validation_fraction, or add data.");
    }
    return new DocumentSequences(subset, length, padToken, BestFitPacking.of(subset, length + 1));
  }

  /** How many documents were longer than a sequence and lost their end; worth a notice. */
  public long cutDocuments() {
    return cutDocuments;
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
    TokenShards shards = subset.shards();
    into.clear();
    for (int i = sequenceStarts[(int) index]; i < sequenceStarts[(int) index + 1]; i++) {
      into.add(shards, packed[i], 0, into.room());
    }
    into.pad(padToken);
  }
}
