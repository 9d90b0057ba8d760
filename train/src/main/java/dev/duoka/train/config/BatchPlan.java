package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * How the tokens of one optimizer step are cut into micro-batches.
 *
 * <p>{@code tokensPerStep = sequenceLength × dataRanks × microBatch × accumulationSteps}, exactly.
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
    long perRank = tokensPerStep / unit;
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
    if (microBatch.isEmpty()) {
      long largest = Math.max(1, DERIVED_MICRO_BATCH_TOKENS / sequenceLength);
      return new BatchPlan(tokensPerStep, sequenceLength, dataRanks, divisorUpTo(perRank, largest));
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

  /** The plan of a run file. */
  public static BatchPlan of(RunConfig config) {
    return of(
        config.training().tokensPerStep(),
        config.data().sequenceLength(),
        config.parallel().data(),
        config.training().microBatch());
  }

  /** Sequences that all ranks together see in one step. */
  public long sequencesPerStep() {
    return tokensPerStep / sequenceLength;
  }

  /** Sequences that one rank sees in one step. */
  public int sequencesPerRank() {
    return (int) (sequencesPerStep() / dataRanks);
  }

  /** Micro-batches whose gradients a rank adds up in one step. */
  public int accumulationSteps() {
    return sequencesPerRank() / microBatch;
  }

  /**
   * For example {@code 8,192 tokens = 2 ranks × 2 accumulation steps × 8 sequences × 256 tokens}.
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s = %s × %s × %s × %s",
        Plural.of(tokensPerStep, "token"),
        Plural.of(dataRanks, "rank"),
        Plural.of(accumulationSteps(), "accumulation step"),
        Plural.of(microBatch, "sequence"),
        Plural.of(sequenceLength, "token"));
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
