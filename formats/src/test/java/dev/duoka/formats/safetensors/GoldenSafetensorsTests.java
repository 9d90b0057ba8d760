package dev.duoka.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.Goldens;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class GoldenSafetensorsTests {
  static final List<String> NAMES = Goldens.NAMES;

  @TempDir Path temporary;

  /** The reference implementation wrote these files: ours must write the same bytes. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void rewritesTheReferencesFilesByteForByte(String name) throws IOException {
    for (String fileName : List.of("model.safetensors", "expect.safetensors")) {
      Path original = Goldens.folder(name).resolve(fileName);
      Path copy = temporary.resolve(fileName);
      try (SafetensorsFile in = SafetensorsFile.open(original);
          SafetensorsWriter out =
              SafetensorsWriter.create(
                  copy,
                  in.tensors().reversed().stream()
                      .map(t -> new TensorDeclaration(t.name(), t.dtype(), t.shape()))
                      .toList(),
                  in.metadata())) {
        for (TensorEntry tensor : out.tensors()) {
          ByteBuffer bytes = ByteBuffer.allocate((int) tensor.byteLength());
          in.read(in.entry(tensor.name()), 0, bytes);
          out.write(tensor.name(), bytes.flip());
        }
        out.finish();
      }
      assertThat(copy).hasSameBinaryContentAs(original);
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void readsTheExpectedLosses(String name) {
    try (SafetensorsFile file =
        SafetensorsFile.open(Goldens.folder(name).resolve("expect.safetensors"))) {
      TensorEntry losses = file.entry("adamw_losses");
      assertThat(losses.dtype()).isEqualTo(StoredDtype.F32);
      assertThat(losses.shape()).containsExactly(8L);
      ByteBuffer bytes = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
      file.read(losses, 0, bytes);
      // About the logarithm of the vocabulary, which is what a model without training reaches.
      assertThat(bytes.getFloat(0)).isBetween(5f, 7f);
      assertThat(file.entry("input_ids").shape()).containsExactly(2L, 24L);
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void opensTheFoldersWeights(String name) throws IOException {
    try (SafetensorsFolder weights = SafetensorsFolder.open(Goldens.folder(name))) {
      assertThat(weights.contains("model.embed_tokens.weight")).isTrue();
      assertThat(weights.tensors().stream().mapToLong(TensorEntry::byteLength).sum())
          .isLessThan(Files.size(weights.files().getFirst().path()));
    }
  }
}
