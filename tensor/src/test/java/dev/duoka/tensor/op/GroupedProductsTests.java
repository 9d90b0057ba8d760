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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GroupedProductsTests {
  private static final Device DEVICE = TestDevice.current();

  /** Random group sizes, every third one empty; odd widths too, which the kernel cannot align. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 1, 16, 8",
    "FLOAT32, 5, 16, 24",
    "FLOAT32, 4, 5, 7",
    "BFLOAT16, 5, 16, 24",
    "BFLOAT16, 3, 6, 10",
    "BFLOAT16, 5, 16, 3",
    "FLOAT32, 5, 16, 3",
    "FLOAT32, 5, 16, 1",
    "FLOAT32, 5, 1, 16",
    "BFLOAT16, 5, 1, 16",
    "BFLOAT16, 5, 16, 1",
    "FLOAT16, 5, 16, 24",
    "FLOAT64, 4, 5, 7"
  })
  void kernelAgreesWithTheLoop(Dtype dtype, int groups, int k, int m) {
    for (long seed = 50; seed < 56; seed++) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Inputs inputs = new Inputs(seed, dtype, DEVICE);
        Tensor ends = ends(inputs, groups);
        int[] bounds = HostCopy.ints(ends);
        long rows = bounds[groups - 1];
        Tensor a = inputs.normal(rows, k);
        Tensor b = inputs.normal(rows, m);
        Tensor matrices = inputs.normal(groups, k, m);
        Tensor stored = Copies.dense(Views.transpose(matrices, 1, 2));
        String what = "seed " + seed + ", ends " + java.util.Arrays.toString(bounds);
        same(
            what,
            GroupedProducts.rowsByMatrices(a, matrices, ends),
            GroupedProducts.loopRows(a, matrices, ends));
        same(
            what,
            GroupedProducts.rowsByMatrices(a, Views.transpose(stored, 1, 2), ends),
            GroupedProducts.loopRows(a, matrices, ends));
        same(what, GroupedProducts.outerByGroup(a, b, ends), GroupedProducts.loopOuter(a, b, ends));
      }
    }
  }

  private static void same(String what, Tensor actual, Tensor expected) {
    assertThat(actual.dtype()).isEqualTo(expected.dtype());
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.isContiguous()).as(what).isTrue();
    Numbers.assertClose(
        what + ", " + actual,
        HostCopy.doubles(actual),
        HostCopy.doubles(expected),
        Numbers.tolerance(expected.dtype()));
  }

  private static Tensor ends(Inputs inputs, int groups) {
    long[] ends = new long[groups];
    long end = 0;
    for (int group = 0; group < groups; group++) {
      end += group % 3 == 1 ? 0 : inputs.next(9);
      ends[group] = end;
    }
    ends[groups - 1] = Math.max(1, end);
    return Copies.cast(HostCopy.fromLongs(ends, inputs.device(), groups), Dtype.INT32);
  }
}
