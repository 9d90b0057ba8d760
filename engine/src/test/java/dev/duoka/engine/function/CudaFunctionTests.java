package dev.duoka.engine.function;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every function and its gradients give the same numbers on the CPU and on a GPU. */
@Tag("cuda")
class CudaFunctionTests {
  static List<FunctionCase> cases() {
    return Stream.concat(FunctionTable.cases().stream(), TrainingSizeTable.cases().stream())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fp32(FunctionCase function) {
    agree(function, Dtype.FLOAT32, 1e-4);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void bf16(FunctionCase function) {
    agree(function, Dtype.BFLOAT16, 2e-2);
  }

  private static void agree(FunctionCase function, Dtype dtype, double tolerance) {
    Poison.freeMemory(TestDevice.cuda());
    Map<String, double[]> cpu = DtypeAgreementTests.run(function, dtype, Device.CPU);
    DtypeAgreementTests.run(function, dtype, TestDevice.cuda())
        .forEach(
            (name, values) ->
                Numbers.assertClose(
                    dtype + ", " + name, values, cpu.getOrDefault(name, new double[0]), tolerance));
  }
}
