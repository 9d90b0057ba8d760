package dev.duoka.train.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A check that finds nothing wrong is worth something only if it can find something. */
class ParityCheckTests {
  private static final double TOLERANCE = 1e-4;

  @TempDir Path folder;

  @BeforeEach
  void copyAGolden() throws IOException {
    Path golden = Path.of(System.getProperty("duoka.repository"), "golden", "v3");
    for (String file : List.of("config.json", "model.safetensors", "expect.safetensors")) {
      Files.copy(golden.resolve(file), folder.resolve(file));
    }
  }

  private Map<String, ParityResult> run() {
    return ParityCheck.run(folder, Device.CPU, TOLERANCE).stream()
        .collect(Collectors.toMap(ParityResult::name, Function.identity()));
  }

  /** Changes the first element of a tensor by a hundredth. */
  private void damage(String file, String tensor) throws IOException {
    long position;
    try (SafetensorsFile stored = SafetensorsFile.open(folder.resolve(file))) {
      TensorEntry entry = stored.entry(tensor);
      ByteBuffer first = ByteBuffer.allocate((int) entry.byteLength());
      stored.read(entry, 0, first);
      byte[] content = Files.readAllBytes(folder.resolve(file));
      position = indexOf(content, first.array());
    }
    try (FileChannel channel =
        FileChannel.open(folder.resolve(file), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer element = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(element, position);
      element.putFloat(0, element.getFloat(0) + 0.01f);
      channel.write(element.rewind(), position);
    }
  }

  private static int indexOf(byte[] content, byte[] part) {
    String whole = new String(content, StandardCharsets.ISO_8859_1);
    return whole.indexOf(new String(part, StandardCharsets.ISO_8859_1));
  }

  @Test
  void findsOneWrongGradient() throws IOException {
    String name = "grad.model.layers.1.mlp.gate.weight";
    damage("expect.safetensors", name);
    run()
        .forEach(
            (tensor, result) ->
                assertThat(result.within(TOLERANCE))
                    .as(result.toString())
                    .isEqualTo(!tensor.equals(name)));
  }

  @Test
  void findsOneWrongWeight() throws IOException {
    damage("model.safetensors", "model.layers.0.self_attn.kv_a_layernorm.weight");
    Map<String, ParityResult> results = run();
    assertThat(results.get("logits")).isNotNull().matches(result -> !result.within(TOLERANCE));
    assertThat(results.get("grad.model.layers.0.self_attn.kv_b_proj.weight"))
        .isNotNull()
        .matches(result -> !result.within(TOLERANCE));
  }

  @Test
  void leavesNoTensorBehind() {
    long storages = MemoryLedger.of(Device.CPU).liveStorages();
    run();
    assertThat(MemoryLedger.of(Device.CPU).liveStorages()).isEqualTo(storages);
  }

  @Test
  void namesWhatTheModelDoesNotHave() throws IOException {
    String config = Files.readString(folder.resolve("config.json"));
    String changed =
        config.replaceFirst("\"num_hidden_layers\": (\\d+)", "\"num_hidden_layers\": 1");
    assertThat(changed).isNotEqualTo(config);
    Files.writeString(folder.resolve("config.json"), changed);
    assertThatThrownBy(this::run)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("expects the gradient of")
        .hasMessageContaining("model.layers.");
  }
}
