package dev.duoka.formats.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PredictionFileTests {
  @TempDir Path folder;

  private static Prediction prediction() {
    return new Prediction(
        List.of(Map.of("weights", 1L << 40, "gradients", 3L), Map.of("weights", 5L)),
        List.of(new PredictedDevice("cuda:0", List.of(0, 1), Map.of("context", 7L))),
        Optional.of(
            new PredictedStep(
                0.1, 0.05, 1.0 / 3, 0.04, Map.of("gemm", 0.07), Map.of("data", 0.01), "a planner")),
        "");
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = folder.resolve(PredictionFile.name(0));
    String hash = PredictionFile.write(file, prediction());
    PredictionFile read = PredictionFile.parse(Files.readAllBytes(file), "it");
    assertThat(read.prediction()).isEqualTo(prediction());
    assertThat(read.unchanged()).isTrue();
    assertThat(read.sha256()).isEqualTo(hash).hasSize(64);
    Prediction none = new Prediction(List.of(), List.of(), Optional.empty(), "no card is known");
    Path other = folder.resolve(PredictionFile.name(160));
    PredictionFile.write(other, none);
    assertThat(other).hasFileName("prediction-from-161.json");
    assertThat(PredictionFile.parse(Files.readAllBytes(other), "it").prediction()).isEqualTo(none);
  }

  @Test
  void aChangeIsSeen() throws IOException {
    Path file = folder.resolve(PredictionFile.NAME);
    PredictionFile.write(file, prediction());
    String changed = Files.readString(file).replace("0.05", "0.06");
    assertThat(PredictionFile.parse(changed.getBytes(StandardCharsets.UTF_8), "it").unchanged())
        .isFalse();
  }

  @Test
  void noneIsOverwritten() throws IOException {
    Path file = folder.resolve(PredictionFile.NAME);
    PredictionFile.write(file, prediction());
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(
            () ->
                PredictionFile.write(
                    file, new Prediction(List.of(), List.of(), Optional.empty(), "x")))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
  }

  @Test
  void anyBytesEndInAPredictionOrAnError() throws IOException {
    Path file = folder.resolve(PredictionFile.NAME);
    PredictionFile.write(file, prediction());
    byte[] whole = Files.readAllBytes(file);
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 2000; i++) {
      byte[] damaged = whole.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(32, 127);
      }
      try {
        PredictionFile read = PredictionFile.parse(damaged, "it");
        assertThat(read.unchanged()).isIn(true, false);
      } catch (DuokaException e) {
        assertThat(e.getMessage()).contains("it");
      }
    }
  }
}
