package dev.duoka.engine.function;

/**
 * The auxiliary loss that evens out the experts' load: {@code α · Σ f·P}, where f is how often an
 * expert is chosen relative to an even share, and P its mean normalised score, both over a stretch
 * of tokens (DeepSeekMoE, arXiv:2401.06066 eq. 12–14; V3, arXiv:2412.19437 eq. 17–20). Only its
 * gradient is needed.
 *
 * @param gradientScale α times the loss scale, over the number of stretches in the step
 * @param tokensPerStretch the length of one sequence, or of a whole micro-batch
 */
public record BalanceLoss(double gradientScale, long tokensPerStretch) {}
