package dev.duoka.experiment.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class JudgementTests {
  @ParameterizedTest
  @CsvSource({
    "SPEED, 0.002, 0.008, SAME",
    "SPEED, -0.01, 0.01, SAME",
    "SPEED, 0.002, 0.012, BETTER",
    "SPEED, -0.03, -0.001, WORSE",
    "SPEED, -0.001, 0.02, NOT_ENOUGH_DATA",
    "MEMORY, 0.02, 0.03, WORSE",
    "MEMORY, -0.03, -0.02, BETTER",
    "LOSS, -0.03, -0.02, BETTER",
    "GRADIENT_NORM, 0.02, 0.03, WORSE"
  })
  void theIntervalDecides(Quantity quantity, double low, double high, Verdict verdict) {
    Interval interval = new Interval(low, (low + high) / 2, high, 0);
    assertThat(Judgement.of(quantity, interval, 0.01, "").verdict()).isEqualTo(verdict);
  }

  @Test
  void valuesThatDoNotVaryAreExact() {
    Interval interval = Interval.ofMean(new double[] {0.02, 0.02, 0.02});
    assertThat(interval.low()).isCloseTo(0.02, Offset.offset(1e-12));
    assertThat(interval.high()).isCloseTo(0.02, Offset.offset(1e-12));
    assertThat(Judgement.of(Quantity.SPEED, interval, 0.01, "").verdict())
        .isEqualTo(Verdict.BETTER);
  }

  @Test
  void oneValueHasNoInterval() {
    assertThatThrownBy(() -> Interval.ofMean(new double[] {1}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Of 20,000 intervals of normal values 99 % hold the mean; {@code seen} is mostly seen. */
  @Test
  void intervalsHoldTheMeanAsOftenAsTheySay() {
    Random random = new Random(7);
    int hold = 0;
    int seen = 0;
    int rounds = 20_000;
    double difference = typicalSeen(random);
    for (int round = 0; round < rounds; round++) {
      double[] values = random.doubles(10).map(_ -> random.nextGaussian()).toArray();
      Interval interval = Interval.ofMean(values);
      if (interval.low() <= 0 && interval.high() >= 0) {
        hold++;
      }
      if (interval.low() + difference > 0) {
        seen++;
      }
    }
    assertThat(hold / (double) rounds).isCloseTo(Interval.CONFIDENCE, Offset.offset(0.003));
    assertThat(seen / (double) rounds).isBetween(0.82, 0.95);
  }

  private static double typicalSeen(Random random) {
    double sum = 0;
    for (int round = 0; round < 1000; round++) {
      sum += Interval.ofMean(random.doubles(10).map(_ -> random.nextGaussian()).toArray()).seen();
    }
    return sum / 1000;
  }
}
