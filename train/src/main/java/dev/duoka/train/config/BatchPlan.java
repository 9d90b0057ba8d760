package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * How the tokens of one optimizer step are cut into micro-batches.
 *
 * <p>{@code tokensPerStep = sequenceLength × dataRanks × microBatch × accumulationSteps}, exactly;
 * where the run file allows it ({@code parallel.empty_micro_batches}), less some micro-batches that
 * are empty.
 *
 * @param tokensPerStep tokens that all ranks together see in one step
 * @param sequenceLength tokens of a sequence
 * @param dataRanks data-parallel ranks
 * @param microBatch sequences that one rank computes at once
 */
public record BatchPlan(long tokensPerStep, int sequenceLength, int dataRanks, int microBatch) {
  /** A derived micro-batch holds at most this many tokens, so that activations stay moderate. */
  static final long DERIVED_MICRO_BATCH_TOKENS = 16_384;

  /**
   * Makes the plan, or shows the arithmetic that does not work out.
   *
   * @param microBatch sequences per micro-batch; empty for the largest divisor of a rank's
   *     sequences that holds at most 16 384 tokens
   * @throws DuokaException with {@link ErrorCode#CONFIG} and the nearest valid values
   */
  public static BatchPlan of(
      long tokensPerStep, int sequenceLength, int dataRanks, OptionalInt microBatch) {
    long unit = Math.multiplyExact((long) sequenceLength, dataRanks);
    if (tokensPerStep % unit != 0) {
      long below = tokensPerStep / unit * unit;
      String nearest = below == 0 ? "" + unit : below + " or " + (below + unit);
      throw new DuokaException(
          ErrorCode.CONFIG,
          String.format(
              Locale.ROOT,
              "training.tokens_per_step %d is no whole number of sequences for each rank:"
                  + " %d / (%d tokens × %d ranks) = %.4g",
              tokensPerStep,
              tokensPerStep,
              sequenceLength,
              dataRanks,
              tokensPerStep / (double) unit),
          "Nearest valid: "
              + nearest
              + nearestRanks(tokensPerStep, sequenceLength, dataRanks)
              + ".");
    }
    long perRank = requireCountable(tokensPerStep, tokensPerStep / unit);
    if (microBatch.isEmpty()) {
      return new BatchPlan(
          tokensPerStep, sequenceLength, dataRanks, divisorUpTo(perRank, derived(sequenceLength)));
    }
    int asked = microBatch.getAsInt();
    if (perRank % asked != 0) {
      int below = divisorUpTo(perRank, asked);
      int above = divisorFrom(perRank, asked);
      throw new DuokaException(
          ErrorCode.CONFIG,
          String.format(
              Locale.ROOT,
              "training.micro_batch %d does not divide a rank's %d sequences:"
                  + " %d tokens / (%d × %d ranks) = %d",
              asked,
              perRank,
              tokensPerStep,
              sequenceLength,
              dataRanks,
              perRank),
          "Nearest valid: " + below + (above > below ? " or " + above : "") + ".");
    }
    return new BatchPlan(tokensPerStep, sequenceLength, dataRanks, asked);
  }

  /**
   * As {@link #of(long, int, int, OptionalInt)}, for ranks that need not divide the micro-batches
   * of a step: the last ranks run empty ones.
   */
  static BatchPlan uneven(
      long tokensPerStep, int sequenceLength, int dataRanks, OptionalInt microBatch) {
    BatchPlan onOne = of(tokensPerStep, sequenceLength, 1, OptionalInt.of(1));
    long sequences = onOne.sequencesPerStep();
    long most = Math.ceilDiv(sequences, dataRanks);
    int asked =
        microBatch.orElseGet(() -> divisorUpTo(sequences, Math.min(most, derived(sequenceLength))));
    if (sequences % asked != 0) {
      return of(tokensPerStep, sequenceLength, 1, microBatch); // says what is wrong
    }
    if (sequences / asked < dataRanks) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "training.tokens_per_step "
              + tokensPerStep
              + " has "
              + sequences / asked
              + " micro-batches, fewer than the "
              + Plural.of(dataRanks, "rank"),
          "Use fewer ranks in parallel.data, or a smaller training.micro_batch.");
    }
    return new BatchPlan(tokensPerStep, sequenceLength, dataRanks, asked);
  }

  private static long requireCountable(long tokensPerStep, long perRank) {
    if (perRank > Integer.MAX_VALUE) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "training.tokens_per_step "
              + tokensPerStep
              + " gives each rank "
              + perRank
              + " sequences",
          "Use fewer tokens or longer sequences.");
    }
    return perRank;
  }

  private static long derived(int sequenceLength) {
    return Math.max(1, DERIVED_MICRO_BATCH_TOKENS / sequenceLength);
  }

  /** The plan of a run file. */
  public static BatchPlan of(RunConfig config) {
    long tokens = config.training().tokensPerStep();
    int length = config.data().sequenceLength();
    int ranks = config.parallel().data();
    OptionalInt microBatch = config.training().microBatch();
    if (config.data().hasPairs()) {
      return ofPairs(tokens, length, config.parallel(), microBatch);
    }
    return config.parallel().emptyMicroBatches()
        ? uneven(tokens, length, ranks, microBatch)
        : of(tokens, length, ranks, microBatch);
  }

  /** In which no pair is divided: a plan of sequences twice as long, cut in two. */
  private static BatchPlan ofPairs(
      long tokens, int length, ParallelSettings parallel, OptionalInt microBatch) {
    int asked = microBatch.orElse(2);
    if (asked % 2 != 0) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "training.micro_batch " + asked + " divides a pair of answers, each of them a sequence",
          "Nearest valid: " + (asked > 1 ? asked - 1 + " or " : "") + (asked + 1) + ".");
    }
    OptionalInt pairs = microBatch.isPresent() ? OptionalInt.of(asked / 2) : OptionalInt.empty();
    BatchPlan plan =
        parallel.emptyMicroBatches()
            ? uneven(tokens, 2 * length, parallel.data(), pairs)
            : of(tokens, 2 * length, parallel.data(), pairs);
    return new BatchPlan(tokens, length, parallel.data(), 2 * plan.microBatch());
  }

  /** Sequences that all ranks together see in one step. */
  public long sequencesPerStep() {
    return tokensPerStep / sequenceLength;
  }

  /** Sequences that the first rank sees in one step; the last ones may see fewer. */
  public int sequencesPerRank() {
    return accumulationSteps() * microBatch;
  }

  /** Micro-batches whose gradients a rank adds up in one step, empty ones included. */
  public int accumulationSteps() {
    return Math.toIntExact(Math.ceilDiv(sequencesPerStep() / microBatch, dataRanks));
  }

  /** Micro-batches of a step, over all ranks, that hold no sequence. */
  public long emptyMicroBatches() {
    return (long) accumulationSteps() * dataRanks - sequencesPerStep() / microBatch;
  }

  /**
   * For example {@code 8,192 tokens = 2 ranks × 2 accumulation steps × 8 sequences × 256 tokens}.
   */
  @Override
  public String toString() {
    return text("rank");
  }

  /**
   * As {@link #toString}, which is right where all ranks have sequences of their own; where several
   * share theirs, it speaks of data ranks.
   *
   * @param ranks of the run
   */
  public String text(int ranks) {
    return text(ranks == dataRanks ? "rank" : "data rank");
  }

  private String text(String rank) {
    return String.format(
        Locale.ROOT,
        "%s = %s × %s × %s × %s%s",
        Plural.of(tokensPerStep, "token"),
        Plural.of(dataRanks, rank),
        Plural.of(accumulationSteps(), "accumulation step"),
        Plural.of(microBatch, "sequence"),
        Plural.of(sequenceLength, "token"),
        emptyMicroBatches() == 0
            ? ""
            : ", less "
                + Plural.of(emptyMicroBatches(), "empty micro-batch", "empty micro-batches"));
  }

  /** The numbers of data ranks next to the asked one that the step's sequences divide over. */
  private static String nearestRanks(long tokensPerStep, int sequenceLength, int asked) {
    long sequences = tokensPerStep / sequenceLength;
    if (sequences < 1 || tokensPerStep % sequenceLength != 0) {
      return "";
    }
    int below = divisorUpTo(sequences, asked);
    int above = divisorFrom(sequences, asked);
    return ", or parallel.data " + below + (above > below ? " or " + above : "");
  }

  private static int divisorUpTo(long value, long largest) {
    long divisor = Math.min(value, largest);
    while (value % divisor != 0) {
      divisor--;
    }
    return (int) divisor;
  }

  private static int divisorFrom(long value, long smallest) {
    long divisor = Math.min(value, smallest);
    while (value % divisor != 0) {
      divisor++;
    }
    return (int) divisor;
  }
}
