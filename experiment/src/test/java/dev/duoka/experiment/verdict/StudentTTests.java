package dev.duoka.experiment.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StudentTTests {
  /** Two-sided points of the printed tables. */
  @ParameterizedTest
  @CsvSource({
    "0.99, 1, 63.657",
    "0.99, 2, 9.925",
    "0.99, 3, 5.841",
    "0.99, 4, 4.604",
    "0.99, 9, 3.250",
    "0.99, 10, 3.169",
    "0.99, 19, 2.861",
    "0.99, 60, 2.660",
    "0.80, 9, 1.383",
    "0.80, 20, 1.325",
    "0.95, 5, 2.571"
  })
  void pointsAreThoseOfTheTables(double share, int degrees, double point) {
    assertThat(StudentT.quantile(share, degrees)).isCloseTo(point, Offset.offset(6e-4));
  }

  @Test
  void withManyDegreesItIsTheNormalDistribution() {
    assertThat(StudentT.quantile(0.99, 100_000)).isCloseTo(2.5759, Offset.offset(1e-3));
  }
}
