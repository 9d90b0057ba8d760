package dev.duoka.experiment.ladder;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.layout.Precision;
import java.util.Optional;

/**
 * By how much two meshes' losses and gradient norms may differ in a step, relatively. What rounding
 * does is measured: the same steps on the rung below in other micro-batches, up to that step, times
 * {@value #TIMES}, since a mesh rounds partial sums that other micro-batches do not have. It is at
 * least what the precision's last bits make of a mean over many tokens, and never so much that a
 * forgotten sum of two ranks could hide.
 *
 * @param leastLoss of losses, whatever was measured
 * @param leastNorm of gradient norms
 * @param measured what the rung below differs from itself by; empty where it was not measured
 */
record ParityLimits(double leastLoss, double leastNorm, Optional<Measured> measured) {
  private static final double TIMES = 4;
  private static final double MOST_LOSS = 0.02;
  private static final double MOST_NORM = 0.2;

  /** A model with experts may choose another one at a tie of the last bits. */
  private static final double TIMES_FOR_EXPERTS = 10;

  /** Updates carry on what rounding began; how much is not known where it was not measured. */
  private static final double TIMES_UNMEASURED = 3;

  /** The rung below, and the same in other micro-batches. */
  record Measured(ArmSteps below, ArmSteps again) {}

  /** By the numbers that a run computes in, and what was measured. */
  static ParityLimits of(Precision precision, boolean experts, Optional<Measured> measured) {
    double more =
        (experts && !precision.hasMasterWeights() ? TIMES_FOR_EXPERTS : 1)
            * (measured.isPresent() ? 1 : TIMES_UNMEASURED);
    return switch (precision) {
      case FP64 -> new ParityLimits(1e-10 * more, 1e-9 * more, measured);
      case FP32 -> new ParityLimits(1e-5 * more, 1e-4 * more, measured);
      case TF32 -> new ParityLimits(1e-3 * more, 1e-2 * more, measured);
      case BF16, FP16 -> new ParityLimits(2e-3 * more, 2e-2 * more, measured);
      case FP8 -> new ParityLimits(1e-2 * more, 5e-2 * more, measured);
    };
  }

  /** Of the loss of a step. */
  double loss(long step) {
    double seen = 0;
    for (long each = 1; each <= step && measured.isPresent(); each++) {
      seen = Math.max(seen, difference(measured.get(), each, false));
    }
    return Math.min(Math.max(TIMES * seen, leastLoss), MOST_LOSS);
  }

  /** Of the gradient norm of a step. */
  double norm(long step) {
    double seen = 0;
    for (long each = 1; each <= step && measured.isPresent(); each++) {
      seen = Math.max(seen, difference(measured.get(), each, true));
    }
    return Math.min(Math.max(TIMES * seen, leastNorm), MOST_NORM);
  }

  private static double difference(Measured measured, long step, boolean norm) {
    double difference =
        norm ? norm(measured.below(), measured.again(), step) : loss(measured, step);
    return Double.isNaN(difference) ? 0 : difference;
  }

  private static double loss(Measured measured, long step) {
    return loss(measured.below(), measured.again(), step);
  }

  /** The relative difference of the losses of a step; NaN where one has none. */
  static double loss(ArmSteps below, ArmSteps above, long step) {
    return relative(
        below.step(step).map(ArmSteps.Step::loss).orElse(Double.NaN),
        above.step(step).map(ArmSteps.Step::loss).orElse(Double.NaN));
  }

  /** The relative difference of the gradient norms of a step; NaN where one has none. */
  static double norm(ArmSteps below, ArmSteps above, long step) {
    return relative(
        below.step(step).map(ArmSteps.Step::gradientNorm).orElse(Double.NaN),
        above.step(step).map(ArmSteps.Step::gradientNorm).orElse(Double.NaN));
  }

  private static double relative(double before, double after) {
    return before == after ? 0 : Math.abs(after - before) / Math.abs(before);
  }
}
