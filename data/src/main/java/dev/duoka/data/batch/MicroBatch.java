package dev.duoka.data.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The input of one forward pass: {@code rows} sequences of {@code length} tokens, with the target
 * of each position.
 *
 * <p>A target is the next token of the same document. It is {@link #MASKED} where there is none to
 * learn: the next token begins another document, is padding, or is outside the loss mask. A token
 * sees all tokens before it in its sequence, or those of its document alone where {@link
 * #documentStarts} says where these begin.
 */
public final class MicroBatch {
  /** The target of a position without one; the loss leaves such positions out. */
  public static final long MASKED = -100;

  private final int rows;
  private final int length;
  private final long[] tokens;
  private final long[] targets;
  private final @Nullable BitSet starts;
  private int realTargets;
  private long firstSequence;
  private boolean empty;
  private double @Nullable [] references;

  MicroBatch(int rows, int length) {
    this(rows, length, false);
  }

  /**
   * Room for sequences.
   *
   * @param apart whether their documents do not see each other
   */
  MicroBatch(int rows, int length, boolean apart) {
    this.starts = apart ? new BitSet(rows * length) : null;
    this.rows = rows;
    this.length = length;
    this.tokens = new long[Math.multiplyExact(rows, length)];
    this.targets = new long[rows * length];
  }

  /** Room for sequences of a set. */
  static MicroBatch of(int rows, SequenceSet set) {
    return of(rows, set.length(), set.apart(), set.together());
  }

  /** Room for sequences of a mixture. */
  static MicroBatch of(int rows, SequenceMixture sets) {
    return of(rows, sets.length(), sets.apart(), sets.together());
  }

  private static MicroBatch of(int rows, int length, boolean apart, int together) {
    MicroBatch batch = new MicroBatch(rows, length, apart);
    return together == 2 ? batch.ofPairs(new double[rows]) : batch;
  }

  /**
   * Given tokens and targets, {@code [rows, length]} row-major each; copied.
   *
   * @param targets {@link #MASKED} where there is none
   */
  public static MicroBatch of(int rows, int length, long[] tokens, long[] targets) {
    MicroBatch batch = new MicroBatch(rows, length);
    if (tokens.length != batch.tokens.length || targets.length != batch.targets.length) {
      throw new IllegalArgumentException(
          rows + " × " + length + " tokens were to be " + tokens.length + " and " + targets.length);
    }
    System.arraycopy(tokens, 0, batch.tokens, 0, tokens.length);
    for (int i = 0; i < targets.length; i++) {
      batch.targets[i] = targets[i];
      batch.realTargets += targets[i] == MASKED ? 0 : 1;
    }
    return batch;
  }

  /**
   * One that holds no sequence: its tokens are all 0 and weigh nothing. A rank that has fewer than
   * the others runs it, so that collectives match.
   *
   * @param apart as those of the others
   */
  public static MicroBatch empty(int rows, int length, boolean apart) {
    return emptied(new MicroBatch(rows, length, apart));
  }

  /** One that holds no sequence, beside others of a mixture. */
  static MicroBatch empty(int rows, SequenceMixture sets) {
    return emptied(of(rows, sets));
  }

  private static MicroBatch emptied(MicroBatch batch) {
    Arrays.fill(batch.targets, MASKED);
    batch.empty = true;
    return batch;
  }

  /**
   * The same sequences in several of fewer each.
   *
   * @param fewer a divisor of {@link #rows}
   */
  public List<MicroBatch> split(int fewer) {
    List<MicroBatch> parts = new ArrayList<>();
    for (int first = 0; first < rows; first += fewer) {
      MicroBatch part = new MicroBatch(fewer, length, starts != null);
      int from = first * length;
      System.arraycopy(tokens, from, part.tokens, 0, part.tokens.length);
      System.arraycopy(targets, from, part.targets, 0, part.targets.length);
      for (long target : part.targets) {
        part.realTargets += target == MASKED ? 0 : 1;
      }
      if (starts != null && part.starts != null) {
        part.starts.or(starts.get(from, from + part.tokens.length));
      }
      part.empty = empty;
      double[] ofPairs = references;
      if (ofPairs != null) {
        part.references = Arrays.copyOfRange(ofPairs, first, first + fewer);
      }
      part.firstSequence = firstSequence + first;
      parts.add(part);
    }
    return parts;
  }

  /** Random tokens, every one a target: what benchmarks train on. */
  public static MicroBatch random(int rows, int length, int vocabulary, long seed) {
    MicroBatch batch = new MicroBatch(rows, length);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < batch.tokens.length; i++) {
      batch.tokens[i] = random.nextInt(vocabulary);
      batch.targets[i] = random.nextInt(vocabulary);
    }
    batch.realTargets = batch.targets.length;
    return batch;
  }

  /** Whether it holds no sequence: nothing of it may count, the load of experts included. */
  public boolean isEmpty() {
    return empty;
  }

  /** The number of its first sequence within the step, over all ranks; 0 where nobody said. */
  public long firstSequence() {
    return firstSequence;
  }

  /** Says which sequences of the step these are, the first one's number from 0; returns this. */
  public MicroBatch numberedFrom(long first) {
    firstSequence = first;
    return this;
  }

  /**
   * What the reference model makes of each sequence, {@code [rows]}, where these are pairs: {@code
   * log π_ref} of its targets. The array itself, not a copy.
   */
  public Optional<double[]> references() {
    return Optional.ofNullable(references);
  }

  /** Says that these are pairs, and what the reference model makes of them; returns this. */
  public MicroBatch ofPairs(double[] logProbabilities) {
    if (logProbabilities.length != rows || rows % 2 != 0) {
      throw new IllegalArgumentException(
          rows + " sequences in pairs, with " + logProbabilities.length + " references");
    }
    references = logProbabilities.clone();
    return this;
  }

  /** How many pairs have something to learn; the others fill up. */
  public int realPairs() {
    int real = 0;
    for (int row = 0; row < rows; row += 2) {
      real += hasTargets(row) ? 1 : 0;
    }
    return real;
  }

  private boolean hasTargets(int row) {
    return Arrays.stream(targets, row * length, (row + 1) * length).anyMatch(it -> it != MASKED);
  }

  /** Number of sequences. */
  public int rows() {
    return rows;
  }

  /** Tokens in each sequence. */
  public int length() {
    return length;
  }

  /** Token ids, {@code [rows, length]} row-major int64; the array itself, not a copy. */
  public long[] tokens() {
    return tokens;
  }

  /** Targets, {@code [rows, length]} row-major int64; the array itself, not a copy. */
  public long[] targets() {
    return targets;
  }

  /**
   * Where documents begin in each sequence, ascending, where they do not see each other; a first
   * one that begins in an earlier sequence is left out. Empty where tokens see all before them.
   */
  public Optional<List<List<Integer>>> documentStarts() {
    BitSet marked = starts;
    return marked == null
        ? Optional.empty()
        : Optional.of(
            IntStream.range(0, rows)
                .mapToObj(
                    row -> marked.get(row * length, (row + 1) * length).stream().boxed().toList())
                .toList());
  }

  /** A copy whose documents do not see each other, with such beginnings. */
  public MicroBatch apart(List<List<Integer>> beginnings) {
    MicroBatch batch = new MicroBatch(rows, length, true);
    System.arraycopy(tokens, 0, batch.tokens, 0, tokens.length);
    System.arraycopy(targets, 0, batch.targets, 0, targets.length);
    batch.realTargets = realTargets;
    batch.firstSequence = firstSequence;
    batch.references = references;
    BitSet marked = batch.starts;
    for (int row = 0; marked != null && row < rows; row++) {
      for (int start : beginnings.get(row)) {
        marked.set(row * length + start);
      }
    }
    return batch;
  }

  /** How many targets are not {@link #MASKED}. */
  public int realTargets() {
    return realTargets;
  }

  /** Fills one row from a window of {@code length + 1} tokens; rows in ascending order. */
  void fillRow(int row, Window window) {
    int base = row * length;
    double[] ofPairs = references;
    if (ofPairs != null) {
      ofPairs[row] = window.reference;
    }
    for (int i = 0; i < length; i++) {
      tokens[base + i] = window.tokens[i];
      if (starts != null && window.begins[i]) {
        starts.set(base + i);
      }
      boolean real = window.isTarget(i + 1);
      targets[base + i] = real ? window.tokens[i + 1] : MASKED;
      realTargets += real ? 1 : 0;
    }
  }
}
