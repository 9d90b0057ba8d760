package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The auxiliary loss that evens out the experts' load: {@code α · Σ f·P}, where f is how often an
 * expert is chosen relative to an even share, and P its mean normalised score, both over a stretch
 * of tokens (DeepSeekMoE, arXiv:2401.06066 eq. 12–14; V3, arXiv:2412.19437 eq. 17–20). Only its
 * gradient is needed.
 *
 * @param gradientScale α times the loss scale, over the number of stretches in the step
 * @param tokensPerStretch the length of one sequence, or of a whole micro-batch
 * @param share which of the tokens are here, where several ranks have parts of a stretch; null for
 *     all of them
 */
public record BalanceLoss(double gradientScale, long tokensPerStretch, @Nullable Share share) {
  /** A loss over tokens that are all here. */
  public BalanceLoss(double gradientScale, long tokensPerStretch) {
    this(gradientScale, tokensPerStretch, null);
  }

  /**
   * A part of a micro-batch's tokens.
   *
   * @param firstToken the place of the first token here among those of the neighbouring ranks
   * @param tokensPerStretch how many of these belong to one stretch
   * @param stretches of the micro-batch
   * @param sum adds to fp64 counts {@code [stretches, experts]} those of the other ranks, in place;
   *     collective
   */
  public record Share(
      long firstToken, long tokensPerStretch, long stretches, Consumer<Tensor> sum) {}
}
