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
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementwiseTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16", "FLOAT16"})
  void functionsOfOneTensor(Dtype dtype) {
    unary(dtype, Elementwise::neg, x -> -x);
    unary(dtype, Elementwise::sqrt, Math::sqrt);
    unary(dtype, Elementwise::rsqrt, x -> 1 / Math.sqrt(x));
    unary(dtype, Elementwise::exp, Math::exp);
    unary(dtype, Elementwise::log, Math::log);
    unary(dtype, x -> Elementwise.abs(Elementwise.neg(x)), Math::abs);
    unary(dtype, x -> Elementwise.sign(Elementwise.neg(x)), x -> -Math.signum(x));
    unary(dtype, x -> Elementwise.mul(x, -0.75), x -> -0.75 * x);
    unary(dtype, x -> Elementwise.add(x, 2.5), x -> x + 2.5);
  }

  private static void unary(
      Dtype dtype, UnaryOperator<Tensor> operator, DoubleUnaryOperator truth) {
    for (long[] shape : new long[][] {{}, {1}, {7}, {3, 5, 2}, {0}, {4, 0, 3}}) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor x = new Inputs(11, dtype, DEVICE).positive(shape);
        Tensor y = operator.apply(x);
        assertThat(y.dtype()).isEqualTo(dtype);
        assertThat(y.shape()).isEqualTo(shape);
        double[] expected = HostCopy.doubles(x);
        for (int i = 0; i < expected.length; i++) {
          expected[i] = truth.applyAsDouble(expected[i]);
        }
        Numbers.assertClose(
            "seed 11 on " + x, HostCopy.doubles(y), expected, Numbers.tolerance(dtype));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void functionsOfTwoTensors(Dtype dtype) {
    binary(dtype, Elementwise::add, Double::sum);
    binary(dtype, (a, b) -> Elementwise.add(a, b, -0.5), (a, b) -> a - 0.5 * b);
    binary(dtype, Elementwise::mul, (a, b) -> a * b);
    binary(dtype, Elementwise::div, (a, b) -> a / b);
    binary(dtype, Elementwise::maximum, Math::max);
    binary(dtype, Elementwise::minimum, Math::min);
  }

  /** {@code [3, 1, 5]} with {@code [4, 1]}: both are broadcast to {@code [3, 4, 5]}. */
  private static void binary(
      Dtype dtype, BinaryOperator<Tensor> operator, DoubleBinaryOperator truth) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(12, dtype, DEVICE);
      Tensor a = inputs.positive(3, 1, 5);
      Tensor b = inputs.positive(4, 1);
      Tensor result = operator.apply(a, b);
      assertThat(result.shape()).containsExactly(3, 4, 5);
      double[] left = HostCopy.doubles(a);
      double[] right = HostCopy.doubles(b);
      double[] expected = new double[60];
      for (int i = 0; i < 60; i++) {
        expected[i] = truth.applyAsDouble(left[i / 20 * 5 + i % 5], right[i / 5 % 4]);
      }
      Numbers.assertClose("seed 12", HostCopy.doubles(result), expected, Numbers.tolerance(dtype));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16", "FLOAT16"})
  void inPlaceKeepsTheTargetsDtype(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor target = Tensors.full(3, dtype, DEVICE, 5);
      Elementwise.addInPlace(target, Tensors.full(0.5, Dtype.FLOAT32, DEVICE, 5));
      assertThat(HostCopy.floats(target)).containsOnly(3.5f);
      Elementwise.mulInPlace(target, 2);
      assertThat(HostCopy.floats(target)).containsOnly(7f);
      Elementwise.mulInPlace(target, Tensors.full(0.5, dtype, DEVICE, 1));
      assertThat(HostCopy.floats(target)).containsOnly(3.5f);
      assertThat(target.dtype()).isEqualTo(dtype);
    }
  }

  @Test
  void addInPlaceWorksOnViewsAndIntegers() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor whole = Tensors.zeros(Dtype.FLOAT32, DEVICE, 3, 4);
      Tensor column = Views.narrow(whole, 1, 1, 2);
      Elementwise.addInPlace(
          column, HostCopy.fromLongs(new long[] {1, 2, 3, 4, 5, 6}, DEVICE, 3, 2));
      assertThat(HostCopy.floats(whole)).containsExactly(0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0);
    }
  }

  @Test
  void productsGoIntoAPartOfATensor() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor whole = Tensors.full(9, Dtype.FLOAT32, DEVICE, 2, 3);
      Tensor part = Views.narrow(whole, 1, 1, 2);
      Tensor a = HostCopy.fromFloats(new float[] {1, 2, 3, 4}, Dtype.FLOAT32, DEVICE, 2, 2);
      Tensor row = HostCopy.fromFloats(new float[] {10, 100}, Dtype.FLOAT32, DEVICE, 1, 2);
      Elementwise.mulInto(part, a, row);
      assertThat(HostCopy.floats(whole)).containsExactly(9, 10, 200, 9, 30, 400);
      Elementwise.addProductInPlace(part, a, row, -2);
      assertThat(HostCopy.floats(whole)).containsExactly(9, -10, -200, 9, -30, -400);
    }
  }

  /** A sum or norm is 0-dimensional; a factor must not turn it into fp64. */
  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16", "FLOAT16"})
  void aNumberDoesNotChangeTheDtypeOfAZeroDimensionalTensor(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor scalar = Tensors.full(1.5, dtype, DEVICE);
      assertThat(Elementwise.mul(scalar, 2).dtype()).isEqualTo(dtype);
      assertThat(Elementwise.add(scalar, 2.0).dtype()).isEqualTo(dtype);
      assertThat(HostCopy.item(Elementwise.add(scalar, 2.0))).isEqualTo(3.5);
      assertThat(HostCopy.item(Elementwise.atLeast(scalar, 1.5))).isEqualTo(1);
    }
  }

  @Test
  void comparisonsGiveBooleans() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      double inf = Double.POSITIVE_INFINITY;
      Tensor a = HostCopy.fromDoubles(new double[] {1, 2, 3, inf}, Dtype.FLOAT32, DEVICE, 4);
      Tensor b = HostCopy.fromDoubles(new double[] {1, 3, 2, Double.NaN}, Dtype.FLOAT32, DEVICE, 4);
      assertThat(Elementwise.equal(a, b).dtype()).isEqualTo(Dtype.BOOL);
      assertThat(HostCopy.longs(Elementwise.equal(a, b))).containsExactly(1, 0, 0, 0);
      assertThat(HostCopy.longs(Elementwise.less(a, b))).containsExactly(0, 1, 0, 0);
      assertThat(HostCopy.longs(Elementwise.atLeast(a, 2))).containsExactly(0, 1, 1, 1);
      assertThat(HostCopy.longs(Elementwise.isFinite(a))).containsExactly(1, 1, 1, 0);
      assertThat(HostCopy.longs(Elementwise.isFinite(b))).containsExactly(1, 1, 1, 0);
      Tensor chosen = Elementwise.where(Elementwise.less(a, b), a, b);
      assertThat(HostCopy.floats(chosen)).containsExactly(1, 2, 2, Float.NaN);
      assertThat(HostCopy.floats(Elementwise.maximum(a, b))).containsExactly(1, 3, 3, Float.NaN);
    }
  }

  @Test
  void floorDividesIntegers() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor a = HostCopy.fromLongs(new long[] {0, 5, 6, -1, 1L << 40}, DEVICE, 5);
      Tensor result = Elementwise.floorDivide(a, 3);
      assertThat(result.dtype()).isEqualTo(Dtype.INT64);
      assertThat(HostCopy.longs(result)).containsExactly(0, 1, 2, -1, (1L << 40) / 3);
    }
  }
}
