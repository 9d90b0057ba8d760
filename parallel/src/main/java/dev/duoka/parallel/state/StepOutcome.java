package dev.duoka.parallel.state;

import java.util.List;

/**
 * What an optimizer step did.
 *
 * @param gradientNorm the global L2 norm of the unscaled gradients before clipping; not finite when
 *     they overflowed
 * @param applied false when the gradients were not finite and the step was skipped
 * @param ranges of the whole model's gradients before clipping; empty when they were not asked for
 */
public record StepOutcome(double gradientNorm, boolean applied, List<ParameterRange> ranges) {
  public StepOutcome {
    ranges = List.copyOf(ranges);
  }
}
