package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenShards;
import java.util.Locale;

/**
 * Sequences cut one after another from the stream of documents, for pre-training: nothing is
 * padded, and documents are cut wherever a sequence ends.
 *
 * <p>Neighbouring windows share one token, the last target of one and the first input of the next,
 * so every token of the stream is a target once. The tokens that are too few for another sequence
 * are left out; which ones differs from epoch to epoch.
 */
public final class StreamSequences extends SequenceSet {
  private final DocumentSubset subset;
  private final int length;
  private final long count;

  private StreamSequences(DocumentSubset subset, int length, long count, boolean apart) {
    super(apart);
    this.subset = subset;
    this.length = length;
    this.count = count;
  }

  /**
   * Cuts a subset into sequences of {@code length} input tokens.
   *
   * @param apart whether documents of a sequence do not see each other
   * @throws DuokaException if it has not enough tokens for one
   */
  public static StreamSequences of(DocumentSubset subset, int length, boolean apart) {
    SequenceLength.check(length);
    long tokens = subset.tokens();
    if (tokens < length + 1L) {
      throw tooShort(subset, length);
    }
    return new StreamSequences(subset, length, (tokens - 1) / length, apart);
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  void read(long index, long cutKey, Window into) {
    long spare = subset.tokens() - 1 - count * length;
    long shift = cutKey == 0 ? 0 : Long.remainderUnsigned(SplitMix64.mix(cutKey), spare + 1);
    DocumentSubset.Place place = subset.find(shift + index * length);
    TokenShards shards = subset.shards();
    long document = place.document();
    into.clear();
    into.add(shards, document, place.offset(), into.room());
    while (into.room() > 0) {
      document = subset.next(document);
      into.add(shards, document, 0, into.room());
    }
  }

  private static DuokaException tooShort(DocumentSubset subset, int length) {
    String part = subset.part().name().toLowerCase(Locale.ROOT);
    String remedy =
        switch (subset.part()) {
          case TRAIN -> "Lower data.sequence_length below the number of tokens, or add data";
          case VALIDATION ->
              "Lower data.sequence_length, raise data.validation_fraction, or set it to 0";
        };
    return new DuokaException(
        ErrorCode.DATA,
        "the %s part of the data has %d tokens in %d of %d documents, fewer than the %d of one sequence"
            .formatted(
                part,
                subset.tokens(),
                subset.documents(),
                subset.shards().documents(),
                length + 1L),
        remedy + " (the split is by whole documents).");
  }
}
