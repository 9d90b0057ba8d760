package dev.duoka.model;

import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Losses and all gradients of a model on a GPU against the CPU's. */
@Tag("cuda")
class CudaModelTests {
  static final List<String> PRESETS = TinyModel.PRESETS;

  @ParameterizedTest
  @FieldSource("PRESETS")
  void fp32(String preset) {
    Map<String, double[]> cpu = train(preset, Dtype.FLOAT32, Device.CPU);
    train(preset, Dtype.FLOAT32, TestDevice.cuda())
        .forEach(
            (name, values) ->
                Numbers.assertClose(name, values, cpu.getOrDefault(name, new double[0]), 1e-4));
  }

  /**
   * In bf16 a token near the edge between two experts may change sides, so single gradients of
   * experts say little: the loss must agree.
   */
  @ParameterizedTest
  @FieldSource("PRESETS")
  void bf16(String preset) {
    double[] cpu = train(preset, Dtype.FLOAT32, Device.CPU).getOrDefault("loss", new double[0]);
    double[] cuda =
        train(preset, Dtype.BFLOAT16, TestDevice.cuda()).getOrDefault("loss", new double[0]);
    Numbers.assertClose("loss", cuda, cpu, 2e-2);
  }

  private static Map<String, double[]> train(String preset, Dtype dtype, Device device) {
    try (TinyModel tiny = new TinyModel(preset, dtype, device)) {
      return tiny.train(Recompute.NONE, 2, 64);
    }
  }
}
