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
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
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
      assumeTrue(Hopper.serves(TestDevice.cuda()), "needs compute capability 9.0");
      Inputs inputs = new Inputs(SEED, dtype, TestDevice.cuda());
      Tensor x = inputs.coarse(ends[ends.length - 1], k);
      Tensor groups = Copies.cast(ends(ends), Dtype.INT32);
      Tensor stored = inputs.coarse(ends.length, k, m);
      assertThat(GroupedRowsKernel.take(x, stored)).isEqualTo(k % 64 == 0);
      if (k % 64 == 0) {
        same(name + ", as they are", x, stored, groups);
      }
      Tensor transposed = Views.transpose(inputs.coarse(ends.length, m, k), 1, 2);
      same(name + ", transposed", x, transposed, groups);
    }
  }

  private static void same(String name, Tensor x, Tensor matrices, Tensor groups) {
    assertThat(GroupedRowsKernel.take(x, matrices)).isTrue();
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
    Poison.memoryOf(x.dtype(), x.device(), x.size(0), matrices.size(2));
    Tensor result = GroupedRowsKernel.run(x, matrices, groups);
    double[] first = HostCopy.doubles(result);
    Numbers.assertClose(name, first, HostCopy.doubles(truth), 1e-6);
    assertThat(HostCopy.doubles(GroupedRowsKernel.run(x, matrices, groups))).isEqualTo(first);
  }

  /** What one expert has, no other gets. */
  @Test
  void infinityStaysInItsGroup() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      assumeTrue(Hopper.serves(TestDevice.cuda()), "needs compute capability 9.0");
      Inputs inputs = new Inputs(SEED, Dtype.FLOAT16, TestDevice.cuda());
      Tensor x = inputs.coarse(200, 128);
      Tensor matrices = inputs.coarse(2, 128, 72);
      Tensors.fill(Views.row(matrices, 1), Double.POSITIVE_INFINITY);
      Tensor groups = Copies.cast(ends(100, 200), Dtype.INT32);
      for (Tensor each :
          new Tensor[] {
            matrices, Views.transpose(Copies.dense(Views.transpose(matrices, 1, 2)), 1, 2)
          }) {
        double[] result = HostCopy.doubles(GroupedRowsKernel.run(x, each, groups));
        assertThat(DoubleStream.of(result).limit(100 * 72).allMatch(Double::isFinite)).isTrue();
        assertThat(DoubleStream.of(result).skip(100 * 72).noneMatch(Double::isFinite)).isTrue();
      }
    }
  }

  private static Tensor ends(int... ends) {
    double[] values = new double[ends.length];
    for (int i = 0; i < ends.length; i++) {
      values[i] = ends[i];
    }
    return new Inputs(SEED, Dtype.FLOAT32, TestDevice.cuda()).of(values, ends.length);
  }
}
