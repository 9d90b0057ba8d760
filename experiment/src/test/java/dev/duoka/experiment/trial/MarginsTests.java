package dev.duoka.experiment.trial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MarginsTests {
  private static List<Judgement> itself(Interval speed, double loss) {
    return List.of(
        Judgement.of(Quantity.SPEED, speed, 0.01, ""),
        Judgement.of(Quantity.LOSS, Interval.exact(loss), 0.001, ""),
        Judgement.of(Quantity.GRADIENT_NORM, Interval.exact(loss), 0.01, ""));
  }

  private static final Interval ALIKE = new Interval(-0.002, 0.001, 0.004, 0.003);
  private static final Interval FASTER = new Interval(0.05, 0.1, 0.15, 0.05);

  /** A machine that repeats a run to the bit does not tell what another order of sums makes. */
  @Test
  void runsThatAreAlikeToTheBitTellNothingOfRounding() {
    Margins margins = Margins.of(List.of(itself(ALIKE, 0), itself(ALIKE, 0)));
    assertThat(margins.runsOfItself()).isZero();
    assertThat(margins.of(Quantity.LOSS)).isEqualTo(0.001);
    assertThat(Margins.of(List.of(itself(ALIKE, 0), itself(ALIKE, 0.002))).runsOfItself())
        .isEqualTo(1);
  }

  @Test
  void speedIsSpreadOnlyWhereProcessesDiffer() {
    assertThat(Margins.of(List.of(itself(ALIKE, 0.002))).spread(Quantity.SPEED)).isZero();
    assertThat(Margins.of(List.of(itself(FASTER, 0.002))).spread(Quantity.SPEED))
        .as("one pair of processes says little of the next")
        .isGreaterThan(1);
    List<List<Judgement>> many =
        List.of(
            itself(FASTER, 0.002),
            itself(ALIKE, 0.002),
            itself(new Interval(-0.1, -0.08, -0.06, 0.02), 0.002),
            itself(FASTER, 0.002));
    assertThat(Margins.of(many).spread(Quantity.SPEED)).isBetween(0.2, 0.4);
  }
}
