package dev.duoka.planner.layout;

import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Method;

/**
 * What a step is to do.
 *
 * @param sequenceLength tokens of a sequence
 * @param tokensPerStep tokens that all ranks together see in one step
 * @param imbalance tokens of the busiest expert rank against an equal share; 1 is balanced
 * @param dispatcher how tokens get to experts on other ranks
 */
public record Job(int sequenceLength, long tokensPerStep, double imbalance, Dispatcher dispatcher) {
  /** The imbalance that plans hold memory for: balanced by bias, not perfectly. */
  public static final double DEFAULT_IMBALANCE = 1.2;

  /** A step whose tokens get to experts in the usual way. */
  public Job(int sequenceLength, long tokensPerStep, double imbalance) {
    this(sequenceLength, tokensPerStep, imbalance, Dispatcher.AUTO);
  }

  /** The same step in which tokens get to experts in another way. */
  public Job with(Dispatcher other) {
    return new Job(sequenceLength, tokensPerStep, imbalance, other);
  }

  /**
   * A batch of about so many tokens that every one of the cards can take an equal part of: a whole
   * number of sequences each, in fours where there are enough, so that micro-batches divide it.
   */
  public static long tokensPerStep(long about, int sequenceLength, int gpus) {
    double each = (double) about / sequenceLength / gpus;
    long sequences = each < 4 ? Math.max(1, (long) each) : 4 * Math.round(each / 4);
    return sequences * sequenceLength * gpus;
  }

  /** What is usual: about a million tokens, for adapters about 131072. */
  public static long usualTokensPerStep(Method method, int sequenceLength, int gpus) {
    return tokensPerStep(method.isAdapter() ? 1 << 17 : 1 << 20, sequenceLength, gpus);
  }

  /** Whether a step is a whole number of sequences. */
  public boolean isOfWholeSequences() {
    return tokensPerStep % sequenceLength == 0;
  }

  /** The tokens of whole sequences next below and above, in words. */
  public String nearestWholeSequences() {
    long below = sequences() * sequenceLength;
    return (below == 0 ? "" : below + " or ") + (below + sequenceLength);
  }

  /** Whether each of so many cards gets as many sequences as the others. */
  public boolean dividesOver(int gpus) {
    return sequences() % gpus == 0;
  }

  /** Sequences of a step. */
  public long sequences() {
    return tokensPerStep / sequenceLength;
  }
}
