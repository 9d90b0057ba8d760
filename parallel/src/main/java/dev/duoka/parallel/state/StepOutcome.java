package dev.duoka.parallel.state;

/**
 * What an optimizer step did.
 *
 * @param gradientNorm the global L2 norm of the unscaled gradients before clipping; not finite when
 *     they overflowed
 * @param applied false when the gradients were not finite and the step was skipped
 */
public record StepOutcome(double gradientNorm, boolean applied) {}
