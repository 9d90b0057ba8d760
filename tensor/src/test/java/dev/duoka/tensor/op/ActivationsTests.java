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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationsTests {
  private static final Device DEVICE = TestDevice.current();

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void siluAndSigmoidWithTheirGradients(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(21, dtype, DEVICE);
      Tensor x = inputs.normal(3, 7);
      Tensor gradient = inputs.normal(3, 7);
      Tensor output = Activations.sigmoid(x);
      double[] xs = HostCopy.doubles(x);
      double[] gs = HostCopy.doubles(gradient);
      double[] ys = HostCopy.doubles(output);
      double[][] expected = new double[4][xs.length];
      for (int i = 0; i < xs.length; i++) {
        double s = sigmoid(xs[i]);
        expected[0][i] = xs[i] * s;
        expected[1][i] = gs[i] * s * (1 + xs[i] * (1 - s));
        expected[2][i] = s;
        expected[3][i] = gs[i] * ys[i] * (1 - ys[i]);
      }
      Tensor activated = Tensors.full(Double.NaN, dtype, DEVICE, 3, 14);
      Tensor part = Views.narrow(activated, 1, 7, 7);
      Activations.siluInto(part, x);
      Numbers.assertClose(
          "seed 21, into a part",
          HostCopy.doubles(Copies.dense(part)),
          expected[0],
          Numbers.tolerance(dtype));
      Tensor backward = Copies.dense(gradient);
      Activations.siluBackwardInto(backward, backward, x);
      Tensor[] actual = {
        Activations.silu(x), backward, output, Activations.sigmoidBackward(gradient, output)
      };
      for (int i = 0; i < 4; i++) {
        Numbers.assertClose(
            "seed 21, " + i, HostCopy.doubles(actual[i]), expected[i], Numbers.tolerance(dtype));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void softmaxWithItsGradient(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(22, dtype, DEVICE);
      Tensor x = inputs.normal(2, 3, 5);
      Tensor gradient = inputs.normal(2, 3, 5);
      Tensor output = Activations.softmax(x);
      double[] xs = HostCopy.doubles(x);
      double[] gs = HostCopy.doubles(gradient);
      double[] ys = HostCopy.doubles(output);
      double[][] expected = new double[3][xs.length];
      for (int row = 0; row < 6; row++) {
        double sum = 0;
        double along = 0;
        for (int i = row * 5; i < row * 5 + 5; i++) {
          sum += Math.exp(xs[i]);
          along += gs[i] * ys[i];
        }
        for (int i = row * 5; i < row * 5 + 5; i++) {
          expected[0][i] = Math.exp(xs[i]) / sum;
          expected[1][i] = xs[i] - Math.log(sum);
          expected[2][i] = ys[i] * (gs[i] - along);
        }
      }
      Tensor[] actual = {
        output, Activations.logSoftmax(x), Activations.softmaxBackward(gradient, output)
      };
      for (int i = 0; i < 3; i++) {
        Numbers.assertClose(
            "seed 22, " + i, HostCopy.doubles(actual[i]), expected[i], Numbers.tolerance(dtype));
      }
    }
  }

  @Test
  void softmaxSurvivesHugeAndMinusInfiniteScores() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      double no = Double.NEGATIVE_INFINITY;
      Tensor x = HostCopy.fromDoubles(new double[] {1e4, 1e4, no}, Dtype.FLOAT32, DEVICE, 1, 3);
      assertThat(HostCopy.floats(Activations.softmax(x))).containsExactly(0.5f, 0.5f, 0f);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void rmsNorm(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(23, dtype, DEVICE);
      Tensor x = inputs.normal(3, 7);
      Tensor weight = inputs.positive(7);
      double epsilon = 1e-3;
      double[] xs = HostCopy.doubles(x);
      double[] ws = HostCopy.doubles(weight);
      double[] expected = new double[xs.length];
      double[] inverse = new double[3];
      for (int row = 0; row < 3; row++) {
        double squares = 0;
        for (int i = 0; i < 7; i++) {
          squares += xs[row * 7 + i] * xs[row * 7 + i];
        }
        inverse[row] = 1 / Math.sqrt(squares / 7 + epsilon);
        for (int i = 0; i < 7; i++) {
          expected[row * 7 + i] = xs[row * 7 + i] * inverse[row] * ws[i];
        }
      }
      Tensor[] results = Activations.rmsNorm(x, weight, epsilon);
      assertThat(results[0].dtype()).isEqualTo(dtype);
      assertThat(results[1].shape()).containsExactly(3, 1);
      assertThat(results[1].dtype())
          .isEqualTo(dtype == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32);
      Numbers.assertClose(
          "seed 23", HostCopy.doubles(results[0]), expected, Numbers.tolerance(dtype));
      Numbers.assertClose(
          "seed 23", HostCopy.doubles(results[1]), inverse, Numbers.tolerance(results[1].dtype()));
    }
  }
}
