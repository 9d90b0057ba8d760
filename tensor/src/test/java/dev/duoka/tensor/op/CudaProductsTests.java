package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of 16-bit factors with an fp32 result against the same in fp64 on the CPU. */
@Tag("cuda")
class CudaProductsTests {
  private static final long SEED = 92;

  @ParameterizedTest
  @CsvSource({
    "BFLOAT16, 1, 5, 6",
    "BFLOAT16, 300, 2048, 64",
    "BFLOAT16, 77, 640, 160",
    "FLOAT16, 300, 2048, 64",
    "FLOAT16, 13, 7, 3"
  })
  void wideTransposedB(Dtype dtype, long rows, long inner, long columns) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, dtype, TestDevice.cuda());
      Tensor a = inputs.normal(rows, inner);
      Tensor b = inputs.normal(columns, inner);
      Poison.freeMemory(TestDevice.cuda());
      Tensor product = Products.wideTransposedB(a, b);
      assertThat(product.dtype()).isEqualTo(Dtype.FLOAT32);
      Tensor expected = Products.mmTransposedB(wide(a), wide(b));
      // 16-bit results would be off by 1e-3.
      Numbers.assertClose(
          "seed " + SEED, HostCopy.doubles(product), HostCopy.doubles(expected), 1e-5);
    }
  }

  private static Tensor wide(Tensor tensor) {
    return HostCopy.fromDoubles(
        HostCopy.doubles(tensor), Dtype.FLOAT64, Device.CPU, tensor.shape());
  }
}
