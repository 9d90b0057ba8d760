package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProductsTests {
  private static final Device DEVICE = TestDevice.current();

  /** {@code a [n, k] @ b [k, m]} in Java. */
  static double[] product(double[] a, double[] b, int n, int k, int m) {
    double[] result = new double[n * m];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < m; j++) {
        for (int l = 0; l < k; l++) {
          result[i * m + j] += a[i * k + l] * b[l * m + j];
        }
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT64, 3, 5, 7",
    "FLOAT32, 1, 1, 1",
    "FLOAT32, 3, 5, 7",
    "FLOAT32, 65, 33, 17",
    "FLOAT32, 0, 4, 3",
    "FLOAT32, 4, 0, 3",
    "BFLOAT16, 9, 6, 3",
    "FLOAT16, 9, 6, 3"
  })
  void everyFormOfTheSameProduct(Dtype dtype, int n, int k, int m) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(41, dtype, DEVICE);
      Tensor a = inputs.normal(n, k);
      Tensor b = inputs.normal(k, m);
      Tensor aTransposed = Copies.dense(Views.transpose(a, 0, 1));
      Tensor bTransposed = Copies.dense(Views.transpose(b, 0, 1));
      double[] expected = product(HostCopy.doubles(a), HostCopy.doubles(b), n, k, m);
      double tolerance = Numbers.tolerance(dtype);
      check(Products.mm(a, b), expected, tolerance, n, m);
      check(Products.mmTransposedB(a, bTransposed), expected, tolerance, n, m);
      check(Products.mmTransposedA(aTransposed, b), expected, tolerance, n, m);
      check(
          Products.mm(Views.transpose(aTransposed, 0, 1), Views.transpose(bTransposed, 0, 1)),
          expected,
          tolerance,
          n,
          m);
      Tensor target = Tensors.full(Double.NaN, dtype, DEVICE, n, m);
      Products.mmInto(target, a, b, 0);
      check(target, expected, tolerance, n, m);
      Products.mmInto(target, Views.transpose(aTransposed, 0, 1), b, 1);
      double[] twice = expected.clone();
      for (int i = 0; i < twice.length; i++) {
        twice[i] *= 2;
      }
      check(target, twice, tolerance, n, m);
    }
  }

  private static void check(Tensor actual, double[] expected, double tolerance, long n, long m) {
    assertThat(actual.shape()).containsExactly(n, m);
    Numbers.assertClose("seed 41, " + actual, HostCopy.doubles(actual), expected, tolerance);
  }

  /** Of one column or row, too, which are products with a vector to a BLAS. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 300, 64, 1",
    "FLOAT32, 300, 1, 1",
    "FLOAT32, 300, 64, 2",
    "FLOAT32, 1, 64, 48",
    "FLOAT32, 300, 1, 48",
    "FLOAT32, 1, 300, 1",
    "FLOAT64, 300, 64, 1",
    "FLOAT64, 1, 64, 48",
    "BFLOAT16, 300, 64, 1",
    "BFLOAT16, 1, 64, 48"
  })
  void overwritesWhateverPartOfATargetIsThere(Dtype dtype, int n, int k, int m) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(43, dtype, DEVICE);
      Tensor a = inputs.normal(n, k);
      Tensor b = inputs.normal(k, m);
      double[] expected = HostCopy.doubles(Products.mm(a, b));
      for (Tensor left :
          List.of(a, Views.transpose(Copies.dense(Views.transpose(a, 0, 1)), 0, 1))) {
        Tensor dense = Tensors.full(Double.NaN, dtype, DEVICE, n, m);
        Tensor wider = Tensors.full(Double.NaN, dtype, DEVICE, n, m + 3);
        for (Tensor target : List.of(dense, Views.narrow(wider, 1, 2, m))) {
          Products.mmInto(target, left, b, 0);
          Numbers.assertClose(
              "seed 43, " + target, HostCopy.doubles(target), expected, Numbers.tolerance(dtype));
        }
      }
    }
  }

  @Test
  void batchedProducts() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(42, Dtype.FLOAT32, DEVICE);
      Tensor a = inputs.normal(3, 4, 5);
      Tensor b = inputs.normal(3, 5, 2);
      Tensor result = Products.bmm(a, b);
      assertThat(result.shape()).containsExactly(3, 4, 2);
      for (int i = 0; i < 3; i++) {
        Numbers.assertClose(
            "seed 42, batch " + i,
            HostCopy.doubles(Views.row(result, i)),
            product(HostCopy.doubles(Views.row(a, i)), HostCopy.doubles(Views.row(b, i)), 4, 5, 2),
            1e-5);
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor a = Tensors.zeros(Dtype.FLOAT32, DEVICE, 3, 4);
      Tensor b = Tensors.zeros(Dtype.FLOAT32, DEVICE, 5, 6);
      Tensor c = Tensors.zeros(Dtype.FLOAT64, DEVICE, 4, 2);
      assertThatThrownBy(() -> Products.mm(a, b))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("float32[3, 4]@" + DEVICE)
          .hasMessageContaining("float32[5, 6]@" + DEVICE)
          .hasMessageContaining("inner sizes");
      assertThatThrownBy(() -> Products.mm(a, c))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("float64[4, 2]")
          .hasMessageContaining("dtypes");
      assertThatThrownBy(() -> Products.bmm(a, b))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("ranks");
    }
  }
}
