package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.layout.Precision;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ParityTests {
  private static ArmSteps steps(double[] losses, double[] norms) {
    Map<Long, ArmSteps.Step> steps = new HashMap<>();
    for (int i = 0; i < losses.length; i++) {
      steps.put(i + 1L, new ArmSteps.Step(100, losses[i], norms[i]));
    }
    return new ArmSteps(steps, 0);
  }

  private static final ArmSteps BELOW = steps(new double[] {4, 3, 2}, new double[] {1, 1, 1});

  private static ParityLimits limits(Precision precision) {
    return ParityLimits.of(precision, false, Optional.empty());
  }

  @Test
  void theSameStepsAreTheSame() {
    Parity parity = Parity.of(BELOW, BELOW, 3, limits(Precision.FP64));
    assertThat(parity.broken()).isEmpty();
    assertThat(parity.loss()).isZero();
    assertThat(parity.roundingMeasured()).isFalse();
  }

  /** The first loss is that of the same weights; the norm shows a sum that lacks a rank. */
  @Test
  void aHalvedSumIsSeenInTheFirstNorm() {
    ArmSteps above = steps(new double[] {4, 3, 2}, new double[] {0.5, 0.5, 0.5});
    for (Precision precision : Precision.values()) {
      Parity.Broken broken = Parity.of(BELOW, above, 3, limits(precision)).broken().orElseThrow();
      assertThat(broken.step()).isEqualTo(1);
      assertThat(broken.what()).isEqualTo(Parity.What.NORM);
    }
  }

  @Test
  void theFirstDifferenceIsNamed() {
    ArmSteps above = steps(new double[] {4, 3.01, 2.5}, new double[] {1, 1, 0.1});
    Parity parity = Parity.of(BELOW, above, 3, limits(Precision.FP32));
    assertThat(parity.broken().orElseThrow().step()).isEqualTo(2);
    assertThat(parity.broken().orElseThrow().what()).isEqualTo(Parity.What.LOSS);
    assertThat(parity.loss()).isCloseTo(0.25, within(1e-12));
  }

  /** A step that was not taken, or has no number, is no agreement. */
  @Test
  void whatIsMissingDiffers() {
    ArmSteps shorter = steps(new double[] {4}, new double[] {1});
    assertThat(Parity.of(BELOW, shorter, 3, limits(Precision.BF16)).broken().orElseThrow().step())
        .isEqualTo(2);
    ArmSteps wrong = steps(new double[] {4, Double.NaN, 2}, new double[] {1, 1, 1});
    assertThat(Parity.of(BELOW, wrong, 3, limits(Precision.BF16)).broken().orElseThrow().step())
        .isEqualTo(2);
  }

  /** What the rung below differs from itself by may be differed by four times, from there on. */
  @Test
  void whatRoundingDoesWidensTheLimits() {
    ArmSteps again = steps(new double[] {4, 3, 2 + 2e-3}, new double[] {1, 1 + 1e-3, 1});
    ParityLimits limits =
        ParityLimits.of(
            Precision.FP32, false, Optional.of(new ParityLimits.Measured(BELOW, again)));
    assertThat(limits.loss(2)).isEqualTo(1e-5);
    assertThat(limits.loss(3)).isCloseTo(4e-3, within(1e-9));
    assertThat(limits.norm(1)).isEqualTo(1e-4);
    assertThat(limits.norm(3)).isCloseTo(4e-3, within(1e-9));
  }

  /** Where it was not measured updates may have carried it on further. */
  @Test
  void whatWasNotMeasuredHasWiderLimits() {
    assertThat(limits(Precision.FP32).loss(1)).isCloseTo(3e-5, within(1e-12));
    assertThat(limits(Precision.FP8).loss(1)).isEqualTo(0.02);
    assertThat(ParityLimits.of(Precision.FP32, true, Optional.empty()).norm(1))
        .isCloseTo(3e-3, within(1e-12));
  }

  /** However much rounding does, half of a sum does not pass. */
  @Test
  void limitsEndWhereASumWouldHide() {
    ArmSteps wild = steps(new double[] {8, 3, 2}, new double[] {2, 1, 1});
    ParityLimits limits =
        ParityLimits.of(Precision.BF16, true, Optional.of(new ParityLimits.Measured(BELOW, wild)));
    assertThat(limits.loss(3)).isEqualTo(0.02);
    assertThat(limits.norm(3)).isEqualTo(0.2);
  }
}
