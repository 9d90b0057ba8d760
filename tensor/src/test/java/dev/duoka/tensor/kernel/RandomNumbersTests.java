package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RandomNumbersTests {
  private static final long KEY = -4958239485729384759L;
  private static final int COUNT = 1 << 20;

  private static float[] normal(Device device, long key, long first, int count, double deviation) {
    try (Scope _ = Scope.open()) {
      Tensor target = Tensors.empty(Dtype.FLOAT32, device, count);
      RandomNumbers.normal(target, key, first, deviation);
      return HostCopy.floats(target);
    }
  }

  private static float[] uniform(Device device, long key, long first, int count, double bound) {
    try (Scope _ = Scope.open()) {
      Tensor target = Tensors.empty(Dtype.FLOAT32, device, count);
      RandomNumbers.uniform(target, key, first, bound);
      return HostCopy.floats(target);
    }
  }

  private static long hash(float[] values) {
    long hash = 0;
    for (float value : values) {
      hash = 31 * hash + (Float.floatToRawIntBits(value) & 0xFFFFFFFFL);
    }
    return hash;
  }

  /**
   * The hashes are those of random.cu, run by a C++ compiler whose sums and products round once.
   */
  @Test
  void bitsAreThoseOfTheKernelsSource() {
    long first = (1L << 33) - 7;
    float[] normal = normal(Device.CPU, KEY, first, COUNT, 0.02f);
    assertThat(normal[0]).isEqualTo(-0.0358703397f);
    assertThat(hash(normal)).isEqualTo(629468684107966018L);
    float[] uniform = uniform(Device.CPU, KEY, first, COUNT, 0.25f);
    assertThat(uniform[0]).isEqualTo(-0.23177743f);
    assertThat(hash(uniform)).isEqualTo(882603285323203737L);
  }

  @ParameterizedTest
  @Tag("cuda")
  @CsvSource({"0, 1048576", "8589934585, 300001", "77, 1"})
  void aCardDrawsTheSameBits(long first, int count) {
    Poison.freeMemory(TestDevice.cuda());
    assertThat(normal(TestDevice.cuda(), KEY, first, count, 0.006))
        .isEqualTo(normal(Device.CPU, KEY, first, count, 0.006));
    assertThat(uniform(TestDevice.cuda(), KEY, first, count, 0.03))
        .isEqualTo(uniform(Device.CPU, KEY, first, count, 0.03));
  }

  @Test
  void eachIsAFunctionOfItsNumber() {
    float[] whole = normal(Device.CPU, KEY, 5, 70_000, 1);
    assertThat(normal(Device.CPU, KEY, 5 + 33_333, 100, 1))
        .isEqualTo(Arrays.copyOfRange(whole, 33_333, 33_433));
    assertThat(normal(Device.CPU, KEY + 1, 5, 70_000, 1)).isNotEqualTo(whole);
  }

  @Test
  void theLargestIsRare() {
    float[] largest = new float[1];
    RandomNumbers.standard(new long[] {0}, largest);
    assertThat(largest[0]).isCloseTo(7.23818f, offset(1e-4f));
  }

  /** The chance of what is below each of them, to seven deviations on either side. */
  @Test
  void theInverseIsThatOfTheNormalDistribution() {
    for (double chance = 0x1p-41; chance < 1; chance *= 1.01) {
      long odd = Math.round(chance * 0x1p41) | 1;
      float[] both = new float[2];
      RandomNumbers.standard(new long[] {odd << 22, odd << 22 | 1L << 63}, both);
      assertThat(both[0]).isEqualTo(-both[1]).isBetween(0f, 7.3f);
      assertThat(half(both[0])).isCloseTo(odd * 0x1p-42, within(odd * 0x1p-42 * 1e-4));
    }
  }

  /** {@code 1 − Φ(z)}, by the continued fraction of the tail, or the series around 0. */
  private static double half(double z) {
    double density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    if (z < 2) {
      double term = z;
      double sum = z;
      for (int i = 1; i < 60; i++) {
        term *= z * z / (2 * i + 1);
        sum += term;
      }
      return 0.5 - density * sum;
    }
    double fraction = z;
    for (int i = 200; i > 0; i--) {
      fraction = z + i / fraction;
    }
    return density / fraction;
  }

  @Test
  void manyAreNormal() {
    float[] values = normal(Device.CPU, KEY, 0, COUNT, 1);
    double[] powers = new double[5];
    double neighbours = 0;
    int beyondFour = 0;
    for (int i = 0; i < COUNT; i++) {
      double power = 1;
      for (int k = 1; k <= 4; k++) {
        power *= values[i];
        powers[k] += power / COUNT;
      }
      neighbours += (double) values[i] * values[(i + 1) % COUNT] / COUNT;
      beyondFour += Math.abs(values[i]) > 4 ? 1 : 0;
    }
    double error = 4 / Math.sqrt(COUNT);
    assertThat(powers[1]).isCloseTo(0, offset(error));
    assertThat(powers[2]).isCloseTo(1, offset(error * Math.sqrt(2)));
    assertThat(powers[3]).isCloseTo(0, offset(error * Math.sqrt(15)));
    assertThat(powers[4]).isCloseTo(3, offset(error * Math.sqrt(96)));
    assertThat(neighbours).isCloseTo(0, offset(error));
    assertThat(beyondFour).isBetween(40, 95); // 66 are due
    Arrays.sort(values);
    double farthest = 0; // Kolmogorov and Smirnov's distance
    for (int i = 0; i < COUNT; i++) {
      double below = values[i] < 0 ? half(-values[i]) : 1 - half(values[i]);
      farthest = Math.max(farthest, Math.abs(below - (i + 0.5) / COUNT));
    }
    assertThat(farthest).isLessThan(1.95 / Math.sqrt(COUNT)); // one of a thousand such is farther
  }

  @Test
  void uniformOnesFillTheirRange() {
    float[] values = uniform(Device.CPU, KEY, 0, COUNT, 0.5);
    Arrays.sort(values);
    assertThat(values[0]).isBetween(-0.5f, -0.49999f);
    assertThat(values[COUNT - 1]).isBetween(0.49999f, 0.5f);
    for (int i = 0; i < COUNT; i += 1000) {
      assertThat((double) values[i])
          .isCloseTo((i + 0.5) / COUNT - 0.5, within(1.95 / Math.sqrt(COUNT)));
    }
  }
}
