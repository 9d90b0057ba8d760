package dev.duoka.train.config;

/** How long a run trains, in the one unit that its run file names. */
public sealed interface TrainingLength {
  /** A number of optimizer steps. */
  record Steps(long count) implements TrainingLength {}

  /** A number of training tokens, rounded up to whole steps. */
  record Tokens(long count) implements TrainingLength {}

  /** A number of passes over the training split, rounded up to whole steps. */
  record Epochs(double count) implements TrainingLength {}

  /**
   * The number of optimizer steps.
   *
   * @param tokensPerStep tokens of one step
   * @param tokensPerEpoch tokens of the training split
   */
  default long steps(long tokensPerStep, long tokensPerEpoch) {
    return switch (this) {
      case Steps(long count) -> count;
      case Tokens(long count) -> Math.ceilDiv(count, tokensPerStep);
      case Epochs(double count) ->
          Math.max(1, (long) Math.ceil(count * tokensPerEpoch / tokensPerStep));
    };
  }
}
