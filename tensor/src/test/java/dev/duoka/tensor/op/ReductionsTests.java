package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReductionsTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void sumsAndMeansAlongEveryDimension(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(31, dtype, DEVICE).positive(2, 3, 5);
      double[] xs = HostCopy.doubles(x);
      int[] strides = {15, 5, 1};
      int[] sizes = {2, 3, 5};
      double total = 0;
      for (double value : xs) {
        total += value;
      }
      for (int dim = 0; dim < 3; dim++) {
        double[] sums = new double[30 / sizes[dim]];
        for (int i = 0; i < 30; i++) {
          int before = i / (strides[dim] * sizes[dim]);
          sums[before * strides[dim] + i % strides[dim]] += xs[i];
        }
        double[] means = sums.clone();
        for (int i = 0; i < means.length; i++) {
          means[i] /= sizes[dim];
        }
        double tolerance = Numbers.tolerance(dtype);
        String what = "seed 31, dim " + dim;
        Numbers.assertClose(what, HostCopy.doubles(Reductions.sum(x, dim, false)), sums, tolerance);
        Numbers.assertClose(
            what, HostCopy.doubles(Reductions.mean(x, dim - 3, true)), means, tolerance);
      }
      assertThat(Reductions.sum(x, 1, true).shape()).containsExactly(2, 1, 5);
      assertThat(Reductions.sum(x, 1, false).shape()).containsExactly(2, 5);
      assertThat(Reductions.sum(x).shape()).isEmpty();
      assertThat(Reductions.sum(x).dtype()).isEqualTo(dtype);
      Numbers.assertClose(
          "seed 31",
          HostCopy.doubles(Reductions.sum(x)),
          new double[] {total},
          Numbers.tolerance(dtype));
    }
  }

  @Test
  void extremes() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x =
          HostCopy.fromDoubles(new double[] {1, 9, -3, 4, 0, 8}, Dtype.FLOAT32, DEVICE, 2, 3);
      assertThat(HostCopy.floats(Reductions.max(x, false, 1))).containsExactly(9, 8);
      assertThat(HostCopy.floats(Reductions.min(x, true, 0))).containsExactly(1, 0, -3);
      assertThat(HostCopy.item(Reductions.max(x, false))).isEqualTo(9);
      assertThat(Reductions.max(x, false).shape()).isEmpty();
      assertThat(HostCopy.longs(Reductions.argmax(x, 1))).containsExactly(1, 2);
      assertThat(HostCopy.longs(Reductions.argmax(x, 0))).containsExactly(1, 0, 1);
    }
  }

  @Test
  void logSumExpDoesNotOverflow() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x =
          HostCopy.fromDoubles(new double[] {1000, 1000, -2, 3}, Dtype.FLOAT64, DEVICE, 2, 2);
      Tensor result = Reductions.logSumExp(x);
      assertThat(result.shape()).containsExactly(2, 1);
      Numbers.assertClose(
          "log sum exp",
          HostCopy.doubles(result),
          new double[] {1000 + Math.log(2), 3 + Math.log1p(Math.exp(-5))},
          1e-14);
    }
  }

  @Test
  void runningSums() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = HostCopy.fromLongs(new long[] {3, 0, 2, 1, 5, 7}, DEVICE, 3, 2);
      assertThat(HostCopy.longs(Reductions.cumulativeSum(x, 0))).containsExactly(3, 0, 5, 1, 10, 8);
      assertThat(HostCopy.longs(Reductions.cumulativeSum(x, 1))).containsExactly(3, 3, 2, 3, 5, 12);
      try (Tensor ints = Copies.cast(x, Dtype.INT32)) {
        assertThat(Reductions.cumulativeSum(ints, 0).dtype()).isEqualTo(Dtype.INT64);
      }
    }
  }

  @Test
  void dotProduct() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(32, Dtype.FLOAT64, DEVICE);
      Tensor a = inputs.normal(1001);
      Tensor b = inputs.normal(1001);
      double[] as = HostCopy.doubles(a);
      double[] bs = HostCopy.doubles(b);
      double sum = 0;
      for (int i = 0; i < as.length; i++) {
        sum += as[i] * bs[i];
      }
      Numbers.assertClose(
          "seed 32", HostCopy.doubles(Reductions.dot(a, b)), new double[] {sum}, 1e-12);
    }
  }

  @Test
  void emptySumsAreZero() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor empty = Tensors.empty(Dtype.FLOAT32, DEVICE, 0, 3);
      assertThat(HostCopy.item(Reductions.sum(empty))).isZero();
      assertThat(HostCopy.floats(Reductions.sum(empty, 0, false))).containsExactly(0, 0, 0);
      assertThat(Reductions.sum(empty, 1, false).elements()).isZero();
      assertThat(HostCopy.item(Reductions.dot(Views.reshape(empty, -1), Views.reshape(empty, -1))))
          .isZero();
    }
  }
}
