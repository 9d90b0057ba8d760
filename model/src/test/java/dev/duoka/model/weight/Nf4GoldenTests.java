package dev.duoka.model.weight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.nf4.Nf4Layout;
import dev.duoka.tensor.nf4.Nf4Piece;
import dev.duoka.tensor.nf4.Nf4Weights;
import dev.duoka.tensor.nf4.Nf4Writer;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Codes, scales and numbers in NF4 are those that {@code golden/nf4/make.py} made without any code
 * of ours.
 */
class Nf4GoldenTests {
  private static final Path FOLDER =
      Path.of(System.getProperty("duoka.repository"), "golden", "nf4");

  private static Tensor tensor(SafetensorsFolder folder, String name) {
    return StoredTensors.read(folder, folder.entry(name));
  }

  private static byte[] bytes(Tensor tensor) {
    long[] wide = HostCopy.longs(tensor);
    byte[] bytes = new byte[wide.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) wide[i];
    }
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "one_block",
        "one_element",
        "odd",
        "ragged",
        "zeros",
        "values",
        "middles",
        "unlike",
        "several_maxima",
        "bf16"
      })
  void theFormatIsThatOfAnother(String name) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        SafetensorsFolder folder = SafetensorsFolder.open(FOLDER, "expect.safetensors")) {
      float[] elements = HostCopy.floats(tensor(folder, name));
      Nf4.Quantized made = Nf4.quantize(elements);
      assertThat(made.codes()).isEqualTo(bytes(tensor(folder, name + ".codes")));
      assertThat(made.scales()).isEqualTo(HostCopy.floats(tensor(folder, name + ".scales")));
      assertThat(made.quantized().codes()).isEqualTo(bytes(tensor(folder, name + ".scale_codes")));
      assertThat(made.quantized().maxima())
          .isEqualTo(HostCopy.floats(tensor(folder, name + ".scale_maxima")));
      assertThat(made.quantized().mean())
          .isEqualTo(HostCopy.floats(tensor(folder, name + ".scale_mean"))[0]);
      assertThat(Nf4.dequantize(made, elements.length, true))
          .isEqualTo(HostCopy.floats(tensor(folder, name + ".values")));
      assertThat(Nf4.dequantize(made, elements.length, false))
          .isEqualTo(HostCopy.floats(tensor(folder, name + ".values_single")));
      operators(folder, name);
    }
  }

  /** The bytes of a whole tensor begin with its codes, as the golden has them. */
  private static void operators(SafetensorsFolder folder, String name) {
    Tensor x = tensor(folder, name);
    Nf4Layout layout = new Nf4Layout();
    layout.add(
        0, new Nf4Piece(x.elements(), 0, x.size(1), x.size(0), x.size(1), true), 0, x.size(1));
    Tensor packed = Tensors.zeros(Dtype.UINT8, Device.CPU, layout.bytes());
    try (Nf4Writer writer = new Nf4Writer(packed, layout, 0, x.elements())) {
      writer.add(x);
      writer.finish();
    }
    Tensor codes = tensor(folder, name + ".codes");
    assertThat(HostCopy.longs(Views.narrow(packed, 0, 0, codes.size(0))))
        .isEqualTo(HostCopy.longs(codes));
    Tensor numbers = Tensors.empty(Dtype.FLOAT32, Device.CPU, layout.elements());
    Nf4Weights.dequantize(packed, layout, numbers);
    assertThat(HostCopy.floats(numbers))
        .isEqualTo(HostCopy.floats(tensor(folder, name + ".values")));
  }
}
