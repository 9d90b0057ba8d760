package dev.duoka.tensor.op;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OptimizerKernelsTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32"})
  void adamwAsDefined(Dtype dtype) {
    double rate = 0.01;
    double beta1 = 0.9;
    double beta2 = 0.95;
    double decay = 0.1;
    double epsilon = 1e-8;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(71, dtype, DEVICE);
      Tensor weights = inputs.normal(37);
      Tensor first = Tensors.zeros(dtype, DEVICE, 37);
      Tensor second = Tensors.zeros(dtype, DEVICE, 37);
      double[] w = HostCopy.doubles(weights);
      double[] m = new double[37];
      double[] v = new double[37];
      for (int step = 1; step <= 5; step++) {
        Tensor gradients = inputs.normal(37);
        double[] g = HostCopy.doubles(gradients);
        OptimizerKernels.adamw(
            weights,
            gradients,
            first,
            second,
            Tensors.full((double) step, Dtype.FLOAT32, DEVICE),
            rate,
            beta1,
            beta2,
            decay,
            epsilon);
        for (int i = 0; i < 37; i++) {
          m[i] = beta1 * m[i] + (1 - beta1) * g[i];
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
          double mHat = m[i] / (1 - Math.pow(beta1, step));
          double vHat = v[i] / (1 - Math.pow(beta2, step));
          w[i] = w[i] * (1 - rate * decay) - rate * mHat / (Math.sqrt(vHat) + epsilon);
        }
      }
      double tolerance = dtype == Dtype.FLOAT64 ? 1e-7 : 1e-5; // the bias corrections are fp32
      Numbers.assertClose("seed 71", HostCopy.doubles(weights), w, tolerance);
      Numbers.assertClose("seed 71", HostCopy.doubles(first), m, tolerance);
      Numbers.assertClose("seed 71", HostCopy.doubles(second), v, tolerance);
    }
  }
}
