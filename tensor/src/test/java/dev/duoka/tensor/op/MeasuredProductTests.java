package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Large products, whose algorithm is chosen by measurement, against the same in fp32. */
@Tag("cuda")
class MeasuredProductTests {
  private static final long SEED = 17;

  @AfterEach
  void forget() {
    Determinism.require(false);
  }

  @ParameterizedTest
  @CsvSource({
    "BFLOAT16, 2048, 1024, 4096, true",
    "BFLOAT16, 4160, 2048, 1344, false", // multiples of 64, not of 128
    "FLOAT16, 2048, 1024, 4096, false",
    "FLOAT16, 4160, 2048, 1344, true"
  })
  void equalWhatLibTorchComputesInFp32(
      Dtype dtype, long rows, long inner, long columns, boolean deterministic) {
    Determinism.require(deterministic);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, dtype, TestDevice.cuda());
      Tensor a = inputs.coarse(rows, inner);
      Tensor b = inputs.coarse(inner, columns);
      Tensor transposed = inputs.coarse(columns, inner);
      Tensor addend = inputs.coarse(rows, columns);
      Poison.memoryOf(dtype, a.device(), rows, columns);
      check(Products.mm(a, b), Products.mm(wide(a), wide(b)));
      Tensor truth = Products.mmTransposedB(wide(a), wide(transposed));
      Poison.memoryOf(dtype, a.device(), rows, columns);
      check(Products.mmTransposedB(a, transposed), truth);
      Poison.memoryOf(dtype, a.device(), rows, columns);
      check(
          Products.mmTransposedBPlus(addend, a, transposed), Elementwise.add(wide(addend), truth));
    }
  }

  private static void check(Tensor result, Tensor truth) {
    assertThat(result.shape()).isEqualTo(truth.shape());
    Numbers.assertClose(
        result.toString(),
        HostCopy.doubles(Copies.cast(result, Dtype.FLOAT32)),
        HostCopy.doubles(truth),
        result.dtype() == Dtype.BFLOAT16 ? 1e-2 : 2e-3);
  }

  private static Tensor wide(Tensor tensor) {
    return Copies.cast(tensor, Dtype.FLOAT32);
  }
}
