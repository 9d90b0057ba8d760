package dev.duoka.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.Mutator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFuzzTests {
  private static final long SEED = 814;
  private static final int ROUNDS = 4000;

  @TempDir Path folder;

  @Test
  void everyDamagedFileIsReadOrRefusedPlainly() throws IOException {
    Path path = folder.resolve("a.safetensors");
    RawFile.write(
        path,
        """
        {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
        "b":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},\
        "c":{"dtype":"BF16","shape":[0],"data_offsets":[32,32]}}\
        """,
        32);
    byte[] original = Files.readAllBytes(path);
    Mutator mutator = new Mutator(new Random(SEED));
    int read = 0;
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Files.write(path, mutator.mutate(original));
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        for (TensorEntry tensor : file.tensors()) {
          file.read(tensor, 0, ByteBuffer.allocate((int) tensor.byteLength()));
        }
        read++;
      } catch (DuokaException e) {
        assertThat(e).hasMessageContaining("a.safetensors");
        refused++;
      } catch (RuntimeException e) {
        fail("seed " + SEED + ", round " + round, e);
      }
    }
    assertThat(read).isPositive();
    assertThat(refused).isGreaterThan(ROUNDS / 2);
  }

  @Test
  void everyDamagedIndexIsReadOrRefusedPlainly() throws IOException {
    RawFile.write(
        folder.resolve("model-00001-of-00001.safetensors"),
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        1);
    Path index = folder.resolve(ShardIndex.FILE_NAME);
    byte[] original =
        "{\"metadata\":{\"total_size\":1},\"weight_map\":{\"a\":\"model-00001-of-00001.safetensors\"}}"
            .getBytes(StandardCharsets.UTF_8);
    Mutator mutator = new Mutator(new Random(SEED));
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Files.write(index, mutator.mutate(original));
      try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
        assertThat(weights.contains("a")).isTrue();
        read++;
      } catch (DuokaException e) {
        assertThat(e).hasMessageContaining(folder.toString());
      } catch (RuntimeException e) {
        fail("seed " + SEED + ", round " + round, e);
      }
    }
    assertThat(read).isBetween(1, ROUNDS - 1);
  }
}
