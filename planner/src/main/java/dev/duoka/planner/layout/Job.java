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

  /** Sequences of a step. */
  public long sequences() {
    return tokensPerStep / sequenceLength;
  }
}
