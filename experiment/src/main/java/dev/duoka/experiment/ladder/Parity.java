package dev.duoka.experiment.ladder;

import dev.duoka.experiment.arm.ArmSteps;
import java.util.Optional;

/**
 * A rung's losses and gradient norms beside those of the rung below, on the same batches from the
 * same weights.
 *
 * @param steps how many were compared
 * @param loss the largest relative difference of the losses
 * @param lossLimit of the last step
 * @param norm the largest relative difference of the gradient norms
 * @param normLimit of the last step
 * @param roundingMeasured whether the limits rest on a measurement beside the precision
 * @param broken where they differ first by more than they may; empty where they do not
 */
public record Parity(
    int steps,
    double loss,
    double lossLimit,
    double norm,
    double normLimit,
    boolean roundingMeasured,
    Optional<Broken> broken) {

  /** What differs. */
  public enum What {
    LOSS("loss"),
    NORM("gradient norm");

    private final String words;

    What(String words) {
      this.words = words;
    }

    /** For people. */
    @Override
    public String toString() {
      return words;
    }
  }

  /**
   * The first difference that is too large.
   *
   * @param step from 1
   * @param below the value on the rung below
   * @param above the value on the rung
   * @param limit of the relative difference
   */
  public record Broken(long step, What what, double below, double above, double limit) {}

  /** Compares steps 1 to {@code steps}; what is no number, or was not taken, is a difference. */
  static Parity of(ArmSteps below, ArmSteps above, int steps, ParityLimits limits) {
    double worstLoss = 0;
    double worstNorm = 0;
    Optional<Broken> broken = Optional.empty();
    for (long step = 1; step <= steps; step++) {
      double loss = ParityLimits.loss(below, above, step);
      double norm = ParityLimits.norm(below, above, step);
      worstLoss = Math.max(worstLoss, loss); // NaN stays
      worstNorm = Math.max(worstNorm, norm);
      if (broken.isEmpty() && !(loss <= limits.loss(step))) {
        broken = Optional.of(broken(step, What.LOSS, below, above, limits.loss(step)));
      }
      if (broken.isEmpty() && !(norm <= limits.norm(step))) {
        broken = Optional.of(broken(step, What.NORM, below, above, limits.norm(step)));
      }
    }
    return new Parity(
        steps,
        worstLoss,
        limits.loss(steps),
        worstNorm,
        limits.norm(steps),
        limits.measured().isPresent(),
        broken);
  }

  private static Broken broken(long step, What what, ArmSteps below, ArmSteps above, double limit) {
    return new Broken(step, what, value(below, step, what), value(above, step, what), limit);
  }

  private static double value(ArmSteps arm, long step, What what) {
    return arm.step(step)
        .map(it -> what == What.LOSS ? it.loss() : it.gradientNorm())
        .orElse(Double.NaN);
  }
}
