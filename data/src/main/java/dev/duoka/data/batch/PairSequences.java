package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.data.shard.TokenShards;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Pairs of sequences, of which the first is preferred: sequence {@code 2i} is the chosen chat of
 * pair {@code i} and {@code 2i + 1} the rejected one, padding behind each. They are drawn together.
 * A pair that is too long loses the beginning of its question, both sides alike; one whose answers
 * do not fit, each with a token before it, is left out.
 *
 * <p>Immutable but for what the reference model makes of each, which is said once before training.
 */
public final class PairSequences extends SequenceSet {
  private static final int CHUNK = 1 << 16;

  private final TokenShards shards;
  private final int length;
  private final int padToken;
  private final boolean[] mask = new boolean[CHUNK];
  private int[] documents;

  /** Tokens of the chosen chat of each pair. */
  private int[] chosenLengths;

  /** Tokens that both chats of each pair lose at their beginning. */
  private int[] dropped;

  private int pairs;
  private long cut;
  private long cutTokens;
  private long longest;
  private long tooLong;

  /** Of the set and of all that it is divided into, one behind the other. */
  private final AtomicReference<double @Nullable []> references;

  /** Where in them those of this set begin. */
  private final int firstReference;

  private PairSequences(TokenShards shards, int length, int padToken, int most) {
    this(shards, length, padToken, most, new AtomicReference<>(), 0);
  }

  private PairSequences(
      TokenShards shards,
      int length,
      int padToken,
      int most,
      AtomicReference<double @Nullable []> references,
      int firstReference) {
    super(false);
    this.shards = shards;
    this.length = length;
    this.padToken = padToken;
    this.references = references;
    this.firstReference = firstReference;
    this.documents = new int[most];
    this.chosenLengths = new int[most];
    this.dropped = new int[most];
  }

  /**
   * The pairs of a subset.
   *
   * @param length input tokens of each sequence
   * @param padToken fills what is left of a sequence
   * @throws DuokaException if the subset has no pair that fits
   */
  public static PairSequences of(DocumentSubset subset, int length, int padToken) {
    SequenceLength.check(length);
    PairSequences set =
        new PairSequences(subset.shards(), length, padToken, Math.toIntExact(subset.documents()));
    for (int document = 0; document < subset.shards().documents(); document++) {
      if (subset.contains(document)) {
        set.add(document);
      }
    }
    if (set.pairs == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "none of the %d pairs in the %s part of the data fits into sequences of %d tokens"
              .formatted(subset.documents(), subset.part().name().toLowerCase(Locale.ROOT), length),
          "Raise data.sequence_length, or change data.validation_fraction.");
    }
    set.documents = Arrays.copyOf(set.documents, set.pairs);
    set.chosenLengths = Arrays.copyOf(set.chosenLengths, set.pairs);
    set.dropped = Arrays.copyOf(set.dropped, set.pairs);
    return set;
  }

  private void add(int document) {
    int all = Math.toIntExact(shards.documentLength(document));
    int chosenAnswer = nextWith(document, 0, true);
    int chosen = chosenLength(document, chosenAnswer);
    int rejectedAnswer = nextWith(document, chosen, true) - chosen;
    int rejected = all - chosen;
    int most = Math.max(chosen, rejected);
    longest = Math.max(longest, most);
    int drop = Math.max(0, most - (length + 1));
    if (drop >= Math.min(chosenAnswer, rejectedAnswer)) {
      tooLong++;
      return;
    }
    documents[pairs] = document;
    chosenLengths[pairs] = chosen;
    dropped[pairs] = drop;
    cut += drop > 0 ? 1 : 0;
    cutTokens += drop;
    pairs++;
  }

  private int chosenLength(int document, int answer) {
    int end = nextWith(document, answer, false);
    int all = Math.toIntExact(shards.documentLength(document));
    if (nextWith(document, nextWith(document, end, true), false) == all) {
      return end; // one stretch in each chat
    }
    int[] tokens = new int[all];
    boolean[] learned = new boolean[all];
    shards.copyTokens(shards.documentStart(document), tokens, 0, all);
    shards.copyLossMask(shards.documentStart(document), learned, 0, all);
    BitSet bits = new BitSet(all);
    for (int i = 0; i < all; i++) {
      bits.set(i, learned[i]);
    }
    return PairBoundary.of(tokens, bits);
  }

  /** The next token from {@code from} on that is in the loss mask, or is not; or the length. */
  private int nextWith(int document, int from, boolean wanted) {
    int all = Math.toIntExact(shards.documentLength(document));
    long start = shards.documentStart(document);
    for (int at = from; at < all; ) {
      int count = Math.min(CHUNK, all - at);
      shards.copyLossMask(start + at, mask, 0, count);
      for (int i = 0; i < count; i++) {
        if (mask[i] == wanted) {
          return at + i;
        }
      }
      at += count;
    }
    return all;
  }

  /** How many pairs were longer than a sequence and lost the beginning of their question. */
  public long cutDocuments() {
    return cut;
  }

  /** How many tokens those lost, of each side. */
  public long cutTokens() {
    return cutTokens;
  }

  /** Tokens of the longest chat. */
  public long longestDocument() {
    return longest;
  }

  /** How many pairs were left out, whose answers do not fit; worth a notice. */
  public long pairsTooLong() {
    return tooLong;
  }

  /** How many input tokens of all sequences are padding. */
  public long paddingTokens() {
    long padding = count() * length;
    for (int pair = 0; pair < pairs; pair++) {
      for (int side = 0; side < 2; side++) {
        padding -= Math.min(length, tokens(pair, side));
      }
    }
    return padding;
  }

  private long tokens(int pair, int side) {
    long all = shards.documentLength(documents[pair]);
    return (side == 0 ? chosenLengths[pair] : all - chosenLengths[pair]) - dropped[pair];
  }

  @Override
  public long count() {
    return 2L * pairs;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public int together() {
    return 2;
  }

  /**
   * Parts of this set, which share what the reference makes of its pairs.
   *
   * @param ends the document before which each part ends, ascending; the last is the shards' end
   * @return as many as there are ends, some perhaps without a pair
   */
  public List<PairSequences> divided(long[] ends) {
    List<PairSequences> parts = new ArrayList<>();
    int from = 0;
    for (long end : ends) {
      int to = from;
      while (to < pairs && documents[to] < end) {
        to++;
      }
      parts.add(part(from, to));
      from = to;
    }
    return parts;
  }

  private PairSequences part(int from, int to) {
    PairSequences part =
        new PairSequences(shards, length, padToken, 0, references, firstReference + 2 * from);
    part.documents = Arrays.copyOfRange(documents, from, to);
    part.chosenLengths = Arrays.copyOfRange(chosenLengths, from, to);
    part.dropped = Arrays.copyOfRange(dropped, from, to);
    part.pairs = to - from;
    return part;
  }

  /** Whether its references are those of the set that it is a part of. */
  @SuppressWarnings("ReferenceEquality") // the very set is meant, not an equal one
  public boolean isPartOf(PairSequences whole) {
    return this != whole && references == whole.references;
  }

  /**
   * Names what stands where: sets with the same name have the same tokens in each sequence, and
   * sets that differ in a pair, its place or its cut have different names.
   */
  public String contentName() {
    MessageDigest digest = Sha256.digest();
    digest.update(
        (shards.contentName() + " " + length + " " + padToken + " " + pairs)
            .getBytes(StandardCharsets.UTF_8));
    ByteBuffer place = ByteBuffer.allocate(3 * Integer.BYTES);
    for (int pair = 0; pair < pairs; pair++) {
      place.clear().putInt(documents[pair]).putInt(chosenLengths[pair]).putInt(dropped[pair]);
      digest.update(place.flip());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Says what the reference model makes of each sequence: the log-probability of its targets.
   *
   * @param logProbabilities as many as {@link #count}, of a set that is no part of another
   */
  public void refer(double[] logProbabilities) {
    if (logProbabilities.length != count()) {
      throw new IllegalArgumentException(
          logProbabilities.length + " references of " + count() + " sequences");
    }
    references.set(logProbabilities.clone());
  }

  /**
   * What the reference model makes of each sequence.
   *
   * @throws IllegalStateException where nobody has said it
   */
  public double[] references() {
    double[] known = references.get();
    if (known == null) {
      throw new IllegalStateException("nobody has said what the reference makes of these pairs");
    }
    return Arrays.copyOfRange(known, firstReference, firstReference + 2 * pairs);
  }

  @Override
  void read(long index, long cutKey, Window into) {
    int pair = Math.toIntExact(index / 2);
    int side = (int) (index % 2);
    into.clear();
    long from = dropped[pair] + (side == 0 ? 0L : chosenLengths[pair]);
    into.add(shards, documents[pair], from, (int) tokens(pair, side));
    into.pad(padToken);
    double[] known = references.get();
    into.reference = known == null ? 0 : known[firstReference + Math.toIntExact(index)];
  }
}
