package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Against two products of each part in fp32. */
class NarrowProductsKernelTests {
  private static final long SEED = 7;

  /** Rows, width, and of each part where its columns begin and how many there are. */
  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("whole tiles", Dtype.BFLOAT16, 512, 16, new int[][] {{0, 2048}}),
        Arguments.of(
            "three parts", Dtype.BFLOAT16, 777, 16, new int[][] {{0, 520}, {520, 136}, {656, 136}}),
        Arguments.of("a part left out", Dtype.FLOAT16, 300, 8, new int[][] {{0, 264}, {528, 264}}),
        Arguments.of("one tile", Dtype.FLOAT16, 64, 24, new int[][] {{0, 8}}),
        Arguments.of("one row", Dtype.BFLOAT16, 1, 32, new int[][] {{8, 1000}}),
        Arguments.of("many rows", Dtype.BFLOAT16, 20_001, 32, new int[][] {{0, 264}, {264, 8}}),
        Arguments.of("many columns", Dtype.BFLOAT16, 130, 16, new int[][] {{0, 30_000}}));
  }

  private record Matrices(Tensor g, Tensor x, Tensor dx, List<NarrowProductsKernel.Part> parts) {
    static Matrices of(Inputs inputs, long rows, long width, int[][] columns) {
      int all = columns[columns.length - 1][0] + columns[columns.length - 1][1];
      List<NarrowProductsKernel.Part> parts = new ArrayList<>();
      for (int[] part : columns) {
        parts.add(new NarrowProductsKernel.Part(inputs.coarse(part[1], width), part[0]));
      }
      long wide = width * columns.length;
      Tensor dx = Tensors.full(Double.NaN, inputs.dtype(), inputs.device(), rows, wide);
      return new Matrices(inputs.coarse(rows, all), inputs.coarse(rows, wide), dx, parts);
    }

    boolean taken() {
      return NarrowProductsKernel.take(g, x, parts);
    }

    Tensor run() {
      return NarrowProductsKernel.run(g, x, parts, dx, 0.5);
    }
  }

  @Tag("cuda")
  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void equalTwoProductsOfEachPart(String name, Dtype dtype, int rows, int width, int[][] columns) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Matrices given =
          Matrices.of(new Inputs(SEED, dtype, TestDevice.cuda()), rows, width, columns);
      assertThat(given.taken()).isTrue();
      Tensor du = given.run();
      double[] first = HostCopy.doubles(du);
      double tolerance = dtype == Dtype.BFLOAT16 ? 1e-2 : 1e-3;
      long below = 0;
      for (int i = 0; i < columns.length; i++) {
        NarrowProductsKernel.Part part = given.parts().get(i);
        long m = part.u().size(0);
        Tensor g = Copies.cast(Views.narrow(given.g(), 1, part.column(), m), Dtype.FLOAT32);
        Tensor x = Copies.cast(Views.narrow(given.x(), 1, i * width, width), Dtype.FLOAT32);
        Tensor inner = Products.mm(g, Copies.cast(part.u(), Dtype.FLOAT32));
        double[] expected = HostCopy.doubles(inner);
        for (int at = 0; at < expected.length; at++) {
          expected[at] *= 0.5;
        }
        Numbers.assertClose(
            name + ", dx of part " + i,
            HostCopy.doubles(Views.dense(Views.narrow(given.dx(), 1, i * width, width))),
            expected,
            tolerance);
        Numbers.assertClose(
            name + ", du of part " + i,
            HostCopy.doubles(Views.narrow(du, 0, below, m)),
            HostCopy.doubles(Products.mmTransposedA(g, x)),
            1e-5);
        below += m;
      }
      assertThat(HostCopy.doubles(given.run())).isEqualTo(first);
    }
  }

  /** A dry run books what a card books, and asks for nothing that would be refused there. */
  @Test
  void onMetaTheAnswerIsThatOfACard() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, Dtype.BFLOAT16, Device.META);
      Matrices given = Matrices.of(inputs, 16_384, 16, new int[][] {{0, 2048}});
      assertThat(given.taken()).isTrue();
      long before = MemoryLedger.of(Device.META).liveBytes();
      Tensor du = given.run();
      assertThat(du.shape()).containsExactly(2048, 16);
      assertThat(MemoryLedger.of(Device.META).liveBytes() - before).isEqualTo(2048 * 16 * 4);
      assertThat(Matrices.of(inputs, 8, 12, new int[][] {{0, 64}}).taken()).isFalse();
      assertThat(Matrices.of(inputs, 8, 40, new int[][] {{0, 64}}).taken()).isFalse();
      assertThat(Matrices.of(inputs, 8, 16, new int[][] {{4, 60}}).taken()).isFalse();
      assertThat(Matrices.of(inputs, 8, 16, new int[][] {{0, 8}, {8, 8}, {16, 8}, {24, 8}}).taken())
          .isFalse();
      Inputs wide = new Inputs(SEED, Dtype.FLOAT32, Device.META);
      assertThat(Matrices.of(wide, 8, 16, new int[][] {{0, 64}}).taken()).isFalse();
      assertThatThrownBy(Matrices.of(wide, 8, 16, new int[][] {{0, 64}})::run)
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("cannot multiply");
    }
  }

  @Test
  void theProcessorHasNoneOfIt() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, Dtype.BFLOAT16, Device.CPU);
      assertThat(Matrices.of(inputs, 8, 16, new int[][] {{0, 64}}).taken()).isFalse();
    }
  }
}
