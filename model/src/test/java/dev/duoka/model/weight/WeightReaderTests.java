package dev.duoka.model.weight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.TinyModel;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class WeightReaderTests {
  static final List<String> PRESETS = TinyModel.PRESETS;

  @TempDir Path folder;

  /** Writes all weights of a model under their Hugging Face names, as fp32. */
  private void write(TinyModel tiny, UnaryOperator<List<TensorDeclaration>> change) {
    List<TensorDeclaration> declarations = new ArrayList<>();
    for (Weight weight : tiny.model().weights()) {
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        declarations.add(new TensorDeclaration(tensor.name(), StoredDtype.F32, tensor.shape()));
      }
    }
    for (StateBuffer buffer : tiny.model().buffers()) {
      declarations.add(
          new TensorDeclaration(
              buffer.checkpointName(), StoredDtype.F32, List.of(buffer.length())));
    }
    List<TensorDeclaration> written = change.apply(declarations);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), written, Map.of())) {
      for (TensorEntry entry : writer.tensors()) { // the file's order is not ours
        float[] values = values(tiny, entry.name(), entry.shape());
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        writer.write(entry.name(), bytes);
      }
      writer.finish();
    }
  }

  private static float[] values(TinyModel tiny, String name, List<Long> shape) {
    for (Weight weight : tiny.model().weights()) {
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        if (tensor.name().equals(name) && tensor.shape().equals(shape)) {
          try (Tensor flat = Views.reshape(weight.parameter().value(), -1);
              Tensor part = Views.narrow(flat, 0, tensor.offset(), tensor.elements())) {
            return HostCopy.floats(part);
          }
        }
      }
    }
    long elements = shape.stream().reduce(1L, (a, b) -> a * b);
    float[] values = new float[Math.toIntExact(elements)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return values;
  }

  @ParameterizedTest
  @FieldSource("PRESETS")
  void readsEveryWeightBackIntoItsPlace(String preset) {
    try (TinyModel original = new TinyModel(preset, Device.CPU);
        TinyModel copy = new TinyModel(preset, Dtype.BFLOAT16, Device.CPU)) {
      write(original, declarations -> declarations);
      copy.model().parameters().buckets().forEach(bucket -> Tensors.zero(bucket.values()));
      LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
      try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
        WeightReader.Report report =
            WeightReader.readAll(
                CheckpointWeights.plain(weights), copy.model().weights(), copy.model().buffers());
        assertThat(report.unused()).isEmpty();
        assertThat(report.missing()).isEmpty();
      }
      before.assertUnchanged();
      for (Parameter parameter : original.model().parameters().parameters()) {
        try (Tensor rounded = Copies.cast(parameter.value(), Dtype.BFLOAT16)) {
          assertThat(HostCopy.floats(copy.model().parameters().parameter(parameter.name()).value()))
              .as(parameter.name())
              .isEqualTo(HostCopy.floats(rounded));
        }
      }
      for (StateBuffer buffer : copy.model().buffers()) {
        assertThat(HostCopy.floats(buffer.value())).startsWith(0, 1, 2, 3);
      }
    }
  }

  @Test
  void namesWhatIsMissing() {
    try (TinyModel tiny = new TinyModel("tiny-llama", Device.CPU)) {
      String name = "model.layers.1.self_attn.k_proj.weight";
      write(
          tiny,
          declarations -> {
            declarations.removeIf(declaration -> declaration.name().equals(name));
            declarations.add(
                new TensorDeclaration(
                    "model.layers.1.self_attn.k_porj.weight", StoredDtype.F32, List.of(2L)));
            return declarations;
          });
      try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
        WeightReader.Report report =
            WeightReader.read(
                CheckpointWeights.plain(weights), tiny.model().weights(), tiny.model().buffers());
        assertThat(report.missing()).containsExactly(name);
        assertThat(report.unused()).containsExactly("model.layers.1.self_attn.k_porj.weight");
        assertThatThrownBy(
                () ->
                    WeightReader.readAll(
                        CheckpointWeights.plain(weights),
                        tiny.model().weights(),
                        tiny.model().buffers()))
            .isInstanceOfSatisfying(
                DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.FORMAT))
            .hasMessageContaining("lacks 1 tensor")
            .hasMessageContaining(name)
            .hasMessageContaining("k_porj");
      }
    }
  }

  @Test
  void refusesAnotherShape() {
    try (TinyModel tiny = new TinyModel("tiny-v3", Device.CPU)) {
      String name = "model.layers.2.mlp.experts.5.down_proj.weight";
      write(
          tiny,
          declarations -> {
            declarations.replaceAll(
                d ->
                    d.name().equals(name)
                        ? new TensorDeclaration(name, StoredDtype.F32, List.of(96L, 160L))
                        : d);
            return declarations;
          });
      LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
      try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
        assertThatThrownBy(
                () ->
                    WeightReader.read(
                        CheckpointWeights.plain(weights),
                        tiny.model().weights(),
                        tiny.model().buffers()))
            .isInstanceOf(DuokaException.class)
            .hasMessageContaining(name)
            .hasMessageContaining("[96, 160]")
            .hasMessageContaining("[160, 96]");
      }
      before.assertUnchanged();
    }
  }
}
