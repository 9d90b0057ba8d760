package dev.duoka.verify.parity;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ParityResultTests {
  private static double error(double[] actual, double[] expected) {
    return ParityResult.of("x", actual, expected).relativeError();
  }

  @Test
  void isTheNormOfTheDifferenceOverTheNorm() {
    assertThat(error(new double[] {3, 4}, new double[] {3, 4})).isZero();
    assertThat(error(new double[] {3, 5}, new double[] {3, 4}))
        .isCloseTo(0.2, Offset.offset(1e-15));
    assertThat(error(new double[] {0, 0}, new double[] {3, 4})).isEqualTo(1);
    assertThat(error(new double[] {-3, -4}, new double[] {3, 4})).isEqualTo(2);
  }

  @Test
  void isAbsoluteWhereZerosWereExpected() {
    assertThat(error(new double[] {0, 0}, new double[] {0, 0})).isZero();
    assertThat(error(new double[] {0.3, 0.4}, new double[] {0, 0}))
        .isCloseTo(0.5, Offset.offset(1e-15));
    assertThat(error(new double[0], new double[0])).isZero();
  }

  @Test
  void otherSizesNeverPass() {
    ParityResult result = ParityResult.of("x", new double[] {1}, new double[] {1, 0});
    assertThat(result.relativeError()).isInfinite();
    assertThat(result.within(1e300)).isFalse();
  }

  @Test
  void whatIsNoNumberNeverPasses() {
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThat(ParityResult.of("x", new double[] {bad}, new double[] {1}).within(1)).isFalse();
      assertThat(ParityResult.of("x", new double[] {1}, new double[] {bad}).within(1)).isFalse();
    }
  }

  @Test
  void theToleranceIsIncluded() {
    ParityResult result = new ParityResult("x", 1e-4, 1, 5);
    assertThat(result.within(1e-4)).isTrue();
    assertThat(result.within(9.9e-5)).isFalse();
  }
}
