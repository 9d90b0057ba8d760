package dev.duoka.planner.layout;

/**
 * What a step is to do.
 *
 * @param sequenceLength tokens of a sequence
 * @param tokensPerStep tokens that all ranks together see in one step
 * @param imbalance tokens of the busiest expert rank against an equal share; 1 is balanced
 */
public record Job(int sequenceLength, long tokensPerStep, double imbalance) {
  /** The imbalance that plans hold memory for: balanced by bias, not perfectly. */
  public static final double DEFAULT_IMBALANCE = 1.2;

  /**
   * A batch of about so many tokens that every one of the cards can take an equal part of: a whole
   * number of sequences each, in fours where there are enough, so that micro-batches divide it.
   */
  public static long tokensPerStep(long about, int sequenceLength, int gpus) {
    double each = (double) about / sequenceLength / gpus;
    long sequences = each < 4 ? Math.max(1, (long) each) : 4 * Math.round(each / 4);
    return sequences * sequenceLength * gpus;
  }

  /** Sequences of a step. */
  public long sequences() {
    return tokensPerStep / sequenceLength;
  }
}
