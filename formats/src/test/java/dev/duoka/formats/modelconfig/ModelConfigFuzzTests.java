package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.Goldens;
import dev.duoka.formats.Mutator;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class ModelConfigFuzzTests {
  static final List<String> NAMES = Goldens.NAMES;
  private static final long SEED = 2025;
  private static final int ROUNDS = 2000;

  @ParameterizedTest
  @FieldSource("NAMES")
  void everyDamagedConfigIsReadOrRefusedPlainly(String name) throws IOException {
    byte[] original = Files.readAllBytes(Goldens.folder(name).resolve("config.json"));
    Mutator mutator = new Mutator(new Random(SEED));
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] mutant = mutator.mutate(original);
      try {
        ModelConfig config =
            ModelConfigReader.read(Json.parse(mutant, "mutant", ErrorCode.CONFIG), "mutant");
        assertThat(ParameterCounts.of(config).total()).isPositive();
        assertThat(ModelConfigReader.read(ModelConfigWriter.json(config), "copy"))
            .as("seed %d, round %d", SEED, round)
            .isEqualTo(config);
        read++;
      } catch (DuokaException e) {
        assertThat(e).hasMessageContaining("mutant");
      } catch (RuntimeException e) {
        fail("seed " + SEED + ", round " + round, e);
      }
    }
    assertThat(read).isBetween(1, ROUNDS - 1);
  }
}
