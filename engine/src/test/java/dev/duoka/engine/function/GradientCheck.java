package dev.duoka.engine.function;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Numbers;
import java.util.Map;
import java.util.SplittableRandom;

/** Compares gradients with {@code (loss(x + h) − loss(x − h)) / 2h}. */
final class GradientCheck {
  private static final double STEP = 1e-5;
  private static final double TOLERANCE = 2e-7;

  /** Of larger tensors, this many elements are tried. */
  private static final int SAMPLES = 40;

  private GradientCheck() {}

  /**
   * Fails unless all gradients of a bench in fp64 are right.
   *
   * @param gradients what {@link Bench#differentiate} returned
   */
  static void againstFiniteDifferences(String what, Bench bench, Map<String, double[]> gradients) {
    for (int i = 0; i < bench.inputs().size(); i++) {
      check(what, bench, bench.inputs().get(i), "gradient of input " + i, gradients);
    }
    for (Parameter parameter : bench.parameters().values()) {
      check(what, bench, parameter.value(), "gradient of " + parameter.name(), gradients);
    }
  }

  private static void check(
      String what, Bench bench, Tensor x, String name, Map<String, double[]> gradients) {
    double[] gradient = gradients.getOrDefault(name, new double[0]);
    double[] values = HostCopy.doubles(x);
    SplittableRandom random = new SplittableRandom(values.length);
    int samples = Math.min(SAMPLES, values.length);
    double[] actual = new double[samples];
    double[] expected = new double[samples];
    for (int sample = 0; sample < samples; sample++) {
      int place = samples == values.length ? sample : random.nextInt(values.length);
      actual[sample] = gradient[place];
      double above = lossAt(bench, x, place, values[place] + STEP);
      double below = lossAt(bench, x, place, values[place] - STEP);
      set(x, place, values[place]);
      expected[sample] = (above - below) / (2 * STEP);
    }
    Numbers.assertClose(what + ", " + name, actual, expected, TOLERANCE);
  }

  private static double lossAt(Bench bench, Tensor x, int place, double value) {
    set(x, place, value);
    return bench.loss();
  }

  private static void set(Tensor x, int place, double value) {
    try (Tensor element = Views.slice(x, place, 1);
        Tensor number = HostCopy.fromDoubles(new double[] {value}, Dtype.FLOAT64, Device.CPU, 1)) {
      Copies.into(element, number);
    }
  }
}
