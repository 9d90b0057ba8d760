package dev.duoka.model;

import dev.duoka.engine.function.PreferenceLoss;

/** What a pass over a micro-batch is for, and what the gradients are multiplied by. */
public sealed interface Objective {
  /** The next token, for a pass without gradients. */
  Objective NEXT_TOKEN = new NextToken(0, 0);

  /**
   * The cross-entropy of the next token, and of further ones.
   *
   * @param perToken one over the number of real tokens of the whole step, times the loss scale
   * @param furtherTokens λ, the weight of predicting further tokens relative to the next one
   */
  record NextToken(double perToken, double furtherTokens) implements Objective {}

  /** Nothing: which token is most likely where a sequence's only target is. */
  record MostLikely() implements Objective {}

  /**
   * That the first sequence of each pair is preferred to the second.
   *
   * @param terms what is preferred, and how strongly
   * @param perPair one over the number of pairs of the whole step, times the loss scale
   */
  record Preference(PreferenceLoss.Terms terms, double perPair) implements Objective {}
}
