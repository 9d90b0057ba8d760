package dev.duoka.tensor.scaled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScaledProductsTests {
  private static final long SEED = 29;

  /** e4m3 has three bits of mantissa, so a value is off by at most 1/16 of itself. */
  private static final double HALF_STEP = 1.0 / 16;

  @Test
  void valuesKeepTheirSizeWhateverTheirNeighboursRowsAre() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = unlikeRows(new Inputs(SEED, Dtype.BFLOAT16, Device.CPU), 256, 384);
      double[] exact = HostCopy.doubles(x);
      ScaledMatrix.Pair pair = Quantization.rowsAndColumns(x);
      double[] rows = HostCopy.doubles(Quantization.dequantized(pair.matrix()));
      assertThat(pair.matrix().scales().shape()).containsExactly(3, 256);
      assertThat(pair.transpose().values().shape()).containsExactly(384, 256);
      assertThat(pair.transpose().scales().shape()).containsExactly(2, 384);
      double[] largest = new double[256 * 3];
      for (int i = 0; i < exact.length; i++) {
        int group = i / 384 * 3 + i % 384 / 128;
        largest[group] = Math.max(largest[group], Math.abs(exact[i]));
      }
      for (int i = 0; i < exact.length; i++) {
        double smallest = largest[i / 384 * 3 + i % 384 / 128] / 448 / 512;
        assertThat(Math.abs(rows[i] - exact[i]))
            .as("element %d, %s", i, exact[i])
            .isLessThanOrEqualTo(Math.max(HALF_STEP * Math.abs(exact[i]) * 1.01, smallest));
      }
    }
  }

  @Test
  void zerosStayZeros() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor zeros = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, 128, 128);
      assertThat(HostCopy.doubles(Quantization.dequantized(Quantization.rows(zeros))))
          .containsOnly(0);
    }
  }

  @Test
  void aBlockAndItsTransposeStandForTheSame() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(SEED, Dtype.BFLOAT16, Device.CPU).normal(256, 640);
      ScaledMatrix.Pair pair = blocks(x);
      assertThat(pair.matrix().scales().shape()).containsExactly(2, 8); // 5, padded
      Tensor back = Views.transpose(Quantization.dequantized(pair.transpose()), 0, 1);
      assertThat(HostCopy.doubles(Views.dense(back)))
          .isEqualTo(HostCopy.doubles(Quantization.dequantized(pair.matrix())));
      Numbers.assertClose(
          "blocks",
          HostCopy.doubles(Quantization.dequantized(pair.matrix())),
          HostCopy.doubles(x),
          0.04);
    }
  }

  @Test
  void refusesMatricesThatDoNotFit() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(SEED, Dtype.BFLOAT16, Device.CPU).normal(128, 256);
      ScaledMatrix rows = Quantization.rows(x);
      assertThatThrownBy(() -> ScaledProducts.transposedB(rows, rows, null, Dtype.BFLOAT16))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("cannot multiply");
    }
  }

  @ParameterizedTest
  @CsvSource({"128, 128, 128", "256, 384, 640"})
  void productsAreThoseOfWhatTheMatricesStandFor(long n, long k, long m) {
    checkProducts(Device.CPU, n, k, m);
  }

  /** The kernel gives the composition's bits; cuBLAS sums the same products in another order. */
  @Tag("cuda")
  @ParameterizedTest
  @CsvSource({"128, 128, 128", "256, 384, 640", "1024, 2048, 1408"})
  void theCardDoesTheSame(long n, long k, long m) {
    checkProducts(TestDevice.cuda(), n, k, m);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = unlikeRows(new Inputs(SEED, Dtype.BFLOAT16, Device.CPU), n, k);
      Tensor there = Copies.to(x, TestDevice.cuda());
      same(Quantization.rowsAndColumns(there), Quantization.rowsAndColumns(x));
      same(blocks(there), blocks(x));
    }
  }

  private static void same(ScaledMatrix.Pair card, ScaledMatrix.Pair truth) {
    for (boolean transpose : new boolean[] {false, true}) {
      ScaledMatrix actual = transpose ? card.transpose() : card.matrix();
      ScaledMatrix expected = transpose ? truth.transpose() : truth.matrix();
      assertThat(HostCopy.doubles(actual.scales())).isEqualTo(HostCopy.doubles(expected.scales()));
      assertThat(HostCopy.doubles(Quantization.dequantized(actual)))
          .isEqualTo(HostCopy.doubles(Quantization.dequantized(expected)));
    }
  }

  private static void checkProducts(Device device, long n, long k, long m) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, Dtype.BFLOAT16, device);
      ScaledMatrix a = Quantization.rows(unlikeRows(inputs, n, k));
      ScaledMatrix blocks = blocks(inputs.normal(m, k)).matrix();
      Tensor addend = inputs.normal(n, m);
      Tensor truth =
          Products.mmTransposedB(Quantization.dequantized(a), Quantization.dequantized(blocks));
      close(ScaledProducts.transposedB(a, blocks, null, Dtype.BFLOAT16), truth, 5e-3);
      close(
          ScaledProducts.transposedB(a, blocks, addend, Dtype.BFLOAT16),
          Elementwise.add(truth, Copies.cast(addend, Dtype.FLOAT32)),
          5e-3);

      ScaledMatrix b = Quantization.rows(inputs.normal(m, k));
      Tensor outer =
          Products.mmTransposedB(Quantization.dequantized(a), Quantization.dequantized(b));
      Tensor target = Tensors.full(Double.NaN, Dtype.FLOAT32, device, n, m);
      ScaledProducts.intoTransposedB(target, a, b, false);
      close(target, outer, 1e-3);
      ScaledProducts.intoTransposedB(target, a, b, true);
      close(target, Elementwise.mul(outer, 2), 1e-3);
    }
  }

  private static ScaledMatrix.Pair blocks(Tensor x) {
    ScaledMatrix.Pair room = Quantization.roomForBlocks(x.size(0), x.size(1), x.device());
    Quantization.blocks(x, room);
    return room;
  }

  /** Rows that differ by orders of magnitude, which one scale for all could not hold. */
  private static Tensor unlikeRows(Inputs inputs, long rows, long columns) {
    double[] factors = new double[Math.toIntExact(rows)];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = Math.pow(2, i % 17 - 8);
    }
    return Elementwise.mul(inputs.normal(rows, columns), inputs.of(factors, rows, 1));
  }

  private static void close(Tensor actual, Tensor truth, double tolerance) {
    Numbers.assertClose(
        truth.toString(),
        HostCopy.doubles(Copies.cast(actual, Dtype.FLOAT32)),
        HostCopy.doubles(truth),
        tolerance);
  }
}
