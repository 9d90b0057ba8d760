package dev.duoka.engine.precision;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LossScalerTests {
  /** What torch.amp.GradScaler's scale is after a number of good steps and one overflow. */
  @ParameterizedTest
  @CsvSource({
    "0, 65536, 32768",
    "1, 65536, 32768",
    "1999, 65536, 32768",
    "2000, 131072, 65536",
    "3999, 131072, 65536",
    "4000, 262144, 131072",
  })
  void growsEvery2000StepsAndHalvesOnOverflow(int goodSteps, double scale, double afterOverflow) {
    LossScaler scaler = new LossScaler(LossScaler.Settings.DEFAULT, true);
    for (int i = 0; i < goodSteps; i++) {
      scaler.update(false);
    }
    assertThat(scaler.scale()).isEqualTo(scale);
    scaler.update(true);
    assertThat(scaler.scale()).isEqualTo(afterOverflow);
    assertThat(scaler.state().goodSteps()).isZero();
  }

  /** With growth interval 3: o is an overflow, g a good step; the scale after each. */
  @Test
  void followsTheTable() {
    LossScaler scaler = new LossScaler(new LossScaler.Settings(8, 2, 0.5, 3), true);
    String steps = "gggoggogggggg";
    double[] scales = {8, 8, 16, 8, 8, 8, 4, 4, 4, 8, 8, 8, 16};
    int[] good = {1, 2, 0, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
    for (int i = 0; i < scales.length; i++) {
      scaler.update(steps.charAt(i) == 'o');
      assertThat(scaler.scale()).as("step " + i).isEqualTo(scales[i]);
      assertThat(scaler.state().goodSteps()).as("step " + i).isEqualTo(good[i]);
    }
  }

  /** Gradients of zero never overflow; the scale must not become infinite. */
  @Test
  void doesNotGrowBeyondFp32() {
    LossScaler scaler = new LossScaler(new LossScaler.Settings(65536, 2, 0.5, 1), true);
    for (int i = 0; i < 1000; i++) {
      scaler.update(false);
    }
    assertThat(scaler.scale()).isEqualTo(0x1p127);
    scaler.update(true);
    assertThat(scaler.scale()).isEqualTo(0x1p126);
  }

  @Test
  void goesOnFromACheckpoint() {
    LossScaler first = new LossScaler(new LossScaler.Settings(8, 2, 0.5, 3), true);
    first.update(true);
    first.update(false);
    first.update(false);
    LossScaler second = new LossScaler(new LossScaler.Settings(8, 2, 0.5, 3), true);
    second.restore(first.state());
    second.update(false);
    assertThat(second.scale()).isEqualTo(8);
  }

  @Test
  void aDisabledOneStaysAtOne() {
    LossScaler scaler = new LossScaler(LossScaler.Settings.DEFAULT, false);
    scaler.update(true);
    scaler.restore(new LossScaler.State(4, 2));
    assertThat(scaler.scale()).isEqualTo(1);
  }
}
