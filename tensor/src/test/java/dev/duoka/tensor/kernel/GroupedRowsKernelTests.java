package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Against one fp32 product per group. The last end is the number of rows. */
@Tag("cuda")
class GroupedRowsKernelTests {
  private static final long SEED = 5;

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("whole tiles", Dtype.BFLOAT16, 256, 512, new int[] {128, 256, 384, 512}),
        Arguments.of("odd groups", Dtype.BFLOAT16, 384, 320, new int[] {1, 64, 130, 700}),
        Arguments.of("narrow and odd", Dtype.FLOAT16, 136, 72, new int[] {7, 8, 9, 300}),
        Arguments.of("empty groups", Dtype.BFLOAT16, 128, 256, new int[] {0, 0, 77, 77, 100, 100}),
        Arguments.of("one row", Dtype.FLOAT16, 64, 64, new int[] {1}),
        Arguments.of("a short sum", Dtype.BFLOAT16, 8, 264, new int[] {100, 129, 400}),
        Arguments.of("few columns", Dtype.FLOAT16, 1408, 16, new int[] {65, 193, 500}),
        Arguments.of("many small", Dtype.BFLOAT16, 200, 264, steps(48, 3)),
        Arguments.of("long", Dtype.FLOAT16, 192, 1408, new int[] {3000, 3001, 5000}));
  }

  private static int[] steps(int groups, int rows) {
    int[] ends = new int[groups];
    for (int i = 0; i < groups; i++) {
      ends[i] = (i + 1) * rows;
    }
    return ends;
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void equalsOneProductPerGroup(String name, Dtype dtype, long k, long m, int... ends) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, dtype, TestDevice.cuda());
      Tensor x = inputs.coarse(ends[ends.length - 1], k);
      Tensor groups = Copies.cast(ends(ends), Dtype.INT32);
      same(name + ", as they are", x, inputs.coarse(ends.length, k, m), groups);
      Tensor transposed = Views.transpose(inputs.coarse(ends.length, m, k), 1, 2);
      same(name + ", transposed", x, transposed, groups);
    }
  }

  private static void same(String name, Tensor x, Tensor matrices, Tensor groups) {
    assumeTrue(GroupedRowsKernel.take(x, matrices), "needs compute capability 9.0");
    Tensor truth =
        Copies.cast(
            GroupedProducts.rowsByMatrices(
                Copies.cast(x, Dtype.FLOAT32),
                Views.transpose(
                    Copies.cast(Copies.dense(Views.transpose(matrices, 1, 2)), Dtype.FLOAT32),
                    1,
                    2),
                groups),
            x.dtype()); // both round the same sums, which are exact in fp32
    Tensor result = GroupedRowsKernel.run(x, matrices, groups);
    double[] first = HostCopy.doubles(result);
    Numbers.assertClose(name, first, HostCopy.doubles(truth), 1e-6);
    assertThat(HostCopy.doubles(GroupedRowsKernel.run(x, matrices, groups))).isEqualTo(first);
  }

  private static Tensor ends(int... ends) {
    double[] values = new double[ends.length];
    for (int i = 0; i < ends.length; i++) {
      values[i] = ends[i];
    }
    return new Inputs(SEED, Dtype.FLOAT32, TestDevice.cuda()).of(values, ends.length);
  }
}
