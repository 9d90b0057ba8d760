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
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Against one fp32 product per group. The last end is the number of rows. */
@Tag("cuda")
class GroupedOuterKernelTests {
  private static final long SEED = 5;

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("whole tiles", Dtype.BFLOAT16, 256, 512, new int[] {128, 256, 384, 512}),
        Arguments.of("odd groups", Dtype.BFLOAT16, 384, 320, new int[] {1, 64, 130, 700}),
        Arguments.of("narrow and odd", Dtype.FLOAT16, 136, 72, new int[] {7, 8, 9, 300}),
        Arguments.of("empty groups", Dtype.BFLOAT16, 128, 256, new int[] {0, 0, 77, 77, 100, 100}),
        Arguments.of("one row", Dtype.FLOAT16, 64, 64, new int[] {1}),
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
  void equalsOneProductPerGroup(String name, Dtype dtype, long m, long k, int... ends) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long rows = ends[ends.length - 1];
      Inputs inputs = new Inputs(SEED, dtype, TestDevice.cuda());
      Tensor a = inputs.coarse(rows, m);
      Tensor b = inputs.coarse(rows, k);
      Tensor groups = Copies.cast(ends(ends), Dtype.INT32);
      Tensor target =
          Tensors.full(Double.NaN, Dtype.FLOAT32, TestDevice.cuda(), (long) ends.length, m, k);
      assumeTrue(Hopper.serves(TestDevice.cuda()), "needs compute capability 9.0");
      assertThat(GroupedOuterKernel.take(a, b, target)).isTrue();
      Tensor truth =
          GroupedProducts.outerByGroup(
              Copies.cast(a, Dtype.FLOAT32), Copies.cast(b, Dtype.FLOAT32), groups);
      double[] expected = HostCopy.doubles(truth);

      GroupedOuterKernel.run(target, a, b, groups, false);
      double[] first = HostCopy.doubles(target);
      Numbers.assertClose(name, first, expected, 1e-5);

      GroupedOuterKernel.run(target, a, b, groups, true);
      double[] twice = HostCopy.doubles(target);
      Numbers.assertClose(
          name + ", added", twice, DoubleStream.of(expected).map(x -> 2 * x).toArray(), 1e-5);

      GroupedOuterKernel.run(target, a, b, groups, false);
      assertThat(HostCopy.doubles(target)).isEqualTo(first);
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
