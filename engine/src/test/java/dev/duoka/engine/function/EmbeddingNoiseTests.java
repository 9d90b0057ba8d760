package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class EmbeddingNoiseTests {
  private static double[] noise(
      Dtype dtype, long update, double magnitude, int width, long... tokens) {
    try (Scope _ = Scope.open();
        Tape tape = Tape.inference()) {
      Tensor x = Tensors.zeros(dtype, Device.CPU, tokens.length, width);
      Tensor numbers = HostCopy.fromLongs(tokens, Device.CPU, tokens.length);
      Variable sum =
          tape.apply(new EmbeddingNoise(update, magnitude, numbers), Variable.constant(x));
      return HostCopy.doubles(sum.value());
    }
  }

  private static long[] tokens(int count) {
    return LongStream.range(0, count).toArray();
  }

  @Test
  void isUniformWithinItsMagnitude() {
    double magnitude = EmbeddingNoise.magnitude(5, 100, 400);
    assertThat(magnitude).isCloseTo(5 / 200.0, within(1e-15));
    double[] all = noise(Dtype.FLOAT64, 1, magnitude, 400, tokens(500));
    int count = all.length;
    double sum = Arrays.stream(all).map(it -> it / magnitude).sum();
    double squares = Arrays.stream(all).map(it -> it * it / magnitude / magnitude).sum();
    assertThat(Arrays.stream(all).map(Math::abs).max().orElseThrow()).isLessThan(magnitude);
    // Mean 0 with a deviation of √(1/3 / n); the mean square is 1/3 with one of √(4/45 / n).
    assertThat(sum / count).isCloseTo(0, within(5 * Math.sqrt(1 / 3.0 / count)));
    assertThat(squares / count).isCloseTo(1 / 3.0, within(5 * Math.sqrt(4 / 45.0 / count)));
    int[] tenths = new int[10];
    for (double each : all) {
      tenths[(int) ((each / magnitude + 1) * 5)]++;
    }
    for (int tenth : tenths) {
      assertThat((double) tenth).isCloseTo(count / 10.0, within(5 * Math.sqrt(0.09 * count)));
    }
    assertThat(Arrays.stream(all).distinct().count()).isGreaterThan(count * 98L / 100);
  }

  /** Neighbours know nothing of each other: in rows, columns or steps. */
  @Test
  void tokensColumnsAndStepsAreIndependent() {
    int width = 256;
    double[] one = noise(Dtype.FLOAT64, 1, 1, width, tokens(256));
    double[] next = noise(Dtype.FLOAT64, 2, 1, width, tokens(256));
    double limit = 5 * Math.sqrt(1 / 9.0 / one.length);
    for (int lag : new int[] {1, 2, width, 2 * width, width + 1}) {
      assertThat(correlation(one, one, lag)).isCloseTo(0, within(limit));
    }
    assertThat(correlation(one, next, 0)).isCloseTo(0, within(limit));
    assertThat(correlation(one, one, 0)).isCloseTo(1 / 3.0, within(0.01));
  }

  private static double correlation(double[] a, double[] b, int lag) {
    double sum = 0;
    for (int i = lag; i < a.length; i++) {
      sum += a[i - lag] * b[i];
    }
    return sum / (a.length - lag);
  }

  /** A token has its noise wherever it is, also behind the rows that are made at once. */
  @Test
  void followsFromTheTokensNumberAlone() {
    int width = 4096;
    double[] all = noise(Dtype.FLOAT32, 7, 0.1, width, tokens(1500));
    long[] few = {1400, 3, 1023, 1024};
    double[] some = noise(Dtype.FLOAT32, 7, 0.1, width, few);
    for (int row = 0; row < few.length; row++) {
      int token = (int) few[row];
      assertThat(Arrays.copyOfRange(some, row * width, (row + 1) * width))
          .isEqualTo(Arrays.copyOfRange(all, token * width, (token + 1) * width));
    }
  }

  @Test
  void isAddedInTheDtypeOfTheEmbeddings() {
    double[] wide = noise(Dtype.FLOAT32, 7, 0.1, 64, 4, 5);
    double[] narrow = noise(Dtype.BFLOAT16, 7, 0.1, 64, 4, 5);
    try (Scope _ = Scope.open()) {
      Tensor rounded =
          Copies.cast(
              HostCopy.fromDoubles(wide, Dtype.FLOAT32, Device.CPU, wide.length), Dtype.BFLOAT16);
      assertThat(narrow).isEqualTo(HostCopy.doubles(rounded));
    }
  }
}
