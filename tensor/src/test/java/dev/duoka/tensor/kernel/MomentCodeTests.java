package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class MomentCodeTests {
  private static final int CHANCES = 1 << MomentCode.CHANCE_BITS;

  @Test
  void aCodeIsEncodedAsItselfWhateverTheChance() {
    for (int chance : new int[] {0, 1, 12345, MomentCode.NEAREST, CHANCES - 1}) {
      for (int code = 0; code < 256; code++) {
        byte second = (byte) code;
        assertThat(MomentCode.second(MomentCode.second(second), chance)).isEqualTo(second);
        byte first = code == 0x80 ? 0 : (byte) code; // there is no negative zero
        assertThat(MomentCode.first(MomentCode.first(first), chance)).isEqualTo(first);
      }
    }
  }

  @Test
  void largerCodesStandForLargerNumbers() {
    assertThat(MomentCode.second((byte) 255)).isEqualTo(1);
    assertThat(MomentCode.first((byte) 127)).isEqualTo(1);
    for (int code = 1; code < 256; code++) {
      assertThat(MomentCode.second((byte) code))
          .isGreaterThan(MomentCode.second((byte) (code - 1)));
    }
  }

  @Test
  void theNearestIsWithinASixteenth() {
    for (float relative = 1; relative > 1e-4f; relative *= 0.997f) {
      double error = Math.max(relative / 16, 0);
      assertThat((double) MomentCode.second(MomentCode.second(relative, MomentCode.NEAREST)))
          .isCloseTo(relative, within(error));
      assertThat((double) MomentCode.first(MomentCode.first(-relative, MomentCode.NEAREST)))
          .isCloseTo(-relative, within(error));
    }
  }

  @Test
  void chanceKeepsNumbersOnAverage() {
    for (float relative : new float[] {0.999f, 0.53f, 0.031f, 1e-4f, 1.7e-5f, 3e-6f}) {
      double first = 0;
      double second = 0;
      double half = 0;
      for (int chance = 0; chance < CHANCES; chance += 64) {
        first += MomentCode.first(MomentCode.first(-relative, chance));
        second += MomentCode.second(MomentCode.second(relative, chance));
        half += MomentCode.bf16(MomentCode.bf16(relative, chance >>> 4));
      }
      int count = CHANCES / 64;
      assertThat(first / count).isCloseTo(-relative, within(relative * 1e-3));
      assertThat(second / count).isCloseTo(relative, within(relative * 1e-3));
      assertThat(half / count).isCloseTo(relative, within(relative * 1e-3));
    }
  }

  @Test
  void aSecondMomentThatIsNotZeroStaysSo() {
    for (float relative : new float[] {1e-8f, 1e-12f, 1e-30f, Float.MIN_VALUE}) {
      assertThat(MomentCode.second(MomentCode.second(relative, 0))).isPositive();
    }
    assertThat(MomentCode.second((byte) 0)).isZero();
  }
}
