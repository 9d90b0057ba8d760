package dev.duoka.engine.optimizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.optimizer.GradientSquares.Piece;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.SquaresKernel;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Squares of gradients by parameter, against plain Java in double. */
class GradientSquaresTests {
  private static final long SEED = 2026;

  /** Parameters of these sizes lie one after the other, each padded to a multiple of 128. */
  private static final long[] SIZES = {5, 70_001, 128, 1_100_003};

  private static final long[] STARTS = {0, 128, 128 + 70_016, 256 + 70_016};
  private static final long LENGTH = 256 + 70_016 + 1_100_032;

  @Test
  void sumsEachParameterInDouble() {
    assertSums(Dtype.FLOAT32, Device.CPU);
  }

  @Test
  @Tag("cuda")
  void sumsEachParameterInDoubleByKernels() {
    assertSums(Dtype.BFLOAT16, TestDevice.cuda());
  }

  /** Fp32 cannot hold the square of 1e30; a norm in fp32 would call that an overflow. */
  @Test
  void aLargeGradientIsNotAnOverflow() {
    try (Scope _ = Scope.open()) {
      Tensor gradients =
          HostCopy.fromDoubles(new double[] {1e30, -1e30, 0, 0}, Dtype.FLOAT32, Device.CPU, 4);
      assertThat(squares(gradients, List.of(new Piece(0, 0, 2)), 1)[0])
          .isCloseTo(2e60, Percentage.withPercentage(1e-4));
    }
  }

  @Test
  void slicesAddUpToTheWhole() {
    try (Scope _ = Scope.open()) {
      double[] values = values();
      Tensor whole = HostCopy.fromDoubles(values, Dtype.FLOAT32, Device.CPU, LENGTH);
      double[] expected = squares(whole, pieces(0, LENGTH), SIZES.length);
      double[] sums = new double[SIZES.length];
      long cut = 128 * 600;
      for (long[] slice : new long[][] {{0, cut}, {cut, LENGTH}}) {
        double[] part = new double[(int) (slice[1] - slice[0])];
        System.arraycopy(values, (int) slice[0], part, 0, part.length);
        Tensor gradients = HostCopy.fromDoubles(part, Dtype.FLOAT32, Device.CPU, part.length);
        double[] squares = squares(gradients, pieces(slice[0], slice[1]), SIZES.length);
        for (int i = 0; i < sums.length; i++) {
          sums[i] += squares[i];
        }
      }
      for (int i = 0; i < sums.length; i++) {
        assertThat(sums[i]).isCloseTo(expected[i], Percentage.withPercentage(1e-11));
      }
    }
  }

  @Test
  void whatNoSliceHoldsIsZero() {
    try (Scope _ = Scope.open()) {
      Tensor gradients =
          HostCopy.fromDoubles(new double[] {3, 4, 0, 0}, Dtype.FLOAT32, Device.CPU, 4);
      assertThat(squares(gradients, List.of(new Piece(1, 0, 2)), 3)).containsExactly(0, 25, 0);
    }
  }

  @Test
  void findsTheExtremesOfEachParameter() {
    assertExtremes(Dtype.FLOAT32, Device.CPU);
  }

  @Test
  @Tag("cuda")
  void findsTheExtremesOfEachParameterByKernels() {
    assertExtremes(Dtype.BFLOAT16, TestDevice.cuda());
  }

  @Test
  void whatNoSliceHoldsHasNoExtremes() {
    try (Scope _ = Scope.open();
        GradientSquares none =
            new GradientSquares(
                Dtype.FLOAT32,
                List.of(Tensors.zeros(Dtype.FLOAT32, Device.CPU, 4)),
                List.of(List.of(new Piece(1, 0, 2))),
                2)) {
      Tensor gradients =
          HostCopy.fromDoubles(new double[] {3, -4, 0, 0}, Dtype.FLOAT32, Device.CPU, 4);
      assertThat(HostCopy.doubles(none.extremes(List.of(gradients))))
          .containsExactly(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -4, 3);
    }
  }

  @Test
  @Tag("cuda")
  void whatIsNoNumberIsSeen() {
    try (Scope _ = Scope.open()) {
      double[] plain = values();
      plain[(int) STARTS[1] + 66_001] = Double.NaN;
      Tensor gradients = HostCopy.fromDoubles(plain, Dtype.FLOAT32, TestDevice.cuda(), LENGTH);
      try (GradientSquares squares =
          new GradientSquares(
              Dtype.BFLOAT16, List.of(gradients), List.of(pieces(0, LENGTH)), SIZES.length)) {
        double[] extremes = HostCopy.doubles(squares.extremes(List.of(gradients)));
        assertThat(extremes[2]).isNaN();
        assertThat(extremes[3]).isNaN();
        assertThat(extremes[4]).isFinite();
      }
    }
  }

  private static void assertExtremes(Dtype values, Device device) {
    try (Scope _ = Scope.open()) {
      double[] plain = values();
      Tensor gradients = HostCopy.fromDoubles(plain, Dtype.FLOAT32, device, LENGTH);
      try (GradientSquares squares =
          new GradientSquares(
              values, List.of(gradients), List.of(pieces(0, LENGTH)), SIZES.length)) {
        double[] extremes = HostCopy.doubles(squares.extremes(List.of(gradients)));
        for (int i = 0; i < SIZES.length; i++) {
          double[] its = Arrays.copyOfRange(plain, (int) STARTS[i], (int) (STARTS[i] + SIZES[i]));
          DoubleSummaryStatistics range = Arrays.stream(its).summaryStatistics();
          assertThat(extremes[2 * i]).isEqualTo(range.getMin());
          assertThat(extremes[2 * i + 1]).isEqualTo(range.getMax());
        }
      }
    }
  }

  private static void assertSums(Dtype values, Device device) {
    try (Scope _ = Scope.open()) {
      double[] plain = values();
      Tensor gradients = HostCopy.fromDoubles(plain, Dtype.FLOAT32, device, LENGTH);
      try (GradientSquares squares =
          new GradientSquares(
              values, List.of(gradients), List.of(pieces(0, LENGTH)), SIZES.length)) {
        Tensor parts = squares.of(List.of(gradients));
        double[] sums = HostCopy.doubles(parts);
        double total = 0;
        for (int i = 0; i < SIZES.length; i++) {
          double expected = 0;
          for (long j = STARTS[i]; j < STARTS[i] + SIZES[i]; j++) {
            expected += plain[(int) j] * plain[(int) j];
          }
          assertThat(sums[i]).isCloseTo(expected, Percentage.withPercentage(1e-10));
          total += sums[i];
        }
        assertThat(HostCopy.doubles(squares.of(List.of(gradients)))).as("again").isEqualTo(sums);
        if (device.isCuda()) {
          assertThat(HostCopy.item(SquaresKernel.inOrder(parts)))
              .as("added as the host adds")
              .isCloseTo(total, Offset.offset(0.0));
        }
      }
    }
  }

  private static double[] squares(Tensor gradients, List<Piece> pieces, int parameters) {
    try (GradientSquares squares =
        new GradientSquares(Dtype.FLOAT32, List.of(gradients), List.of(pieces), parameters)) {
      return HostCopy.doubles(squares.of(List.of(gradients)));
    }
  }

  /** Random numbers where the parameters are, zeros in the padding; exact in fp32. */
  private static double[] values() {
    double[] values = new double[(int) LENGTH];
    try (Scope _ = Scope.open()) {
      Inputs inputs = new Inputs(SEED, Dtype.FLOAT32, Device.CPU);
      for (int i = 0; i < SIZES.length; i++) {
        double[] numbers = HostCopy.doubles(inputs.coarse(SIZES[i]));
        System.arraycopy(numbers, 0, values, (int) STARTS[i], numbers.length);
      }
    }
    return values;
  }

  private static List<Piece> pieces(long begin, long end) {
    return IntStream.range(0, SIZES.length)
        .filter(i -> STARTS[i] < end && STARTS[i] + SIZES[i] > begin)
        .mapToObj(
            i -> {
              long start = Math.max(STARTS[i], begin);
              return new Piece(i, start - begin, Math.min(STARTS[i] + SIZES[i], end) - start);
            })
        .toList();
  }
}
