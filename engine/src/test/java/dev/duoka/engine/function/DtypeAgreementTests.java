package dev.duoka.engine.function;

import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Outputs and gradients in the dtypes of training against fp64, at inputs that are exact in all of
 * them. This is what reaches the kernels that have no fp64.
 */
class DtypeAgreementTests {
  private static final long SEED = 102;

  static List<FunctionCase> cases() {
    return Stream.concat(FunctionTable.cases().stream(), TrainingSizeTable.cases().stream())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fp32(FunctionCase function) {
    agree(function, Dtype.FLOAT32, 1e-5);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void bf16(FunctionCase function) {
    agree(function, Dtype.BFLOAT16, 3e-2);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fp16(FunctionCase function) {
    agree(function, Dtype.FLOAT16, 4e-3);
  }

  private static void agree(FunctionCase function, Dtype dtype, double tolerance) {
    Map<String, double[]> expected = run(function, Dtype.FLOAT64, Device.CPU);
    run(function, dtype, TestDevice.current())
        .forEach(
            (name, values) ->
                Numbers.assertClose(
                    dtype + ", " + name + ", seed " + SEED,
                    values,
                    expected.getOrDefault(name, new double[0]),
                    tolerance));
  }

  static Map<String, double[]> run(FunctionCase function, Dtype dtype, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(SEED, dtype, device))) {
      function.setup().accept(bench);
      return bench.differentiate(Recompute.NONE);
    }
  }
}
