package dev.duoka.model;

/**
 * What the gradients of the losses are multiplied by.
 *
 * @param perToken one over the number of real tokens of the whole step, times the loss scale
 * @param furtherTokens λ, the weight of predicting further tokens relative to the next one
 */
public record LossWeights(double perToken, double furtherTokens) {
  /** For a pass without gradients. */
  public static final LossWeights NONE = new LossWeights(0, 0);
}
