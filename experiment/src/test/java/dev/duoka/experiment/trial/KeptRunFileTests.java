package dev.duoka.experiment.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeptRunFileTests {
  private static final String TEXT =
      """
      # mine
      model: {preset: tiny-llama}
      data: {sources: [/texts], sequence_length: 16}
      training: {tokens_per_step: 64, steps: 10}
      """;

  @TempDir Path folder;

  @Test
  void theChangeIsWrittenAndTheOldFileStays() throws IOException {
    Path file = Files.writeString(folder.resolve("run.yaml"), TEXT);
    Path tried = Files.copy(file, folder.resolve("tried"));
    Path before = KeptRunFile.write(file, tried, List.of("training.steps=20"));
    assertThat(before).hasFileName("run.yaml.before").hasContent(TEXT);
    assertThat(RunFile.read(file, List.of()))
        .isEqualTo(RunFile.read(before, List.of("training.steps=20")));
    String second = Files.readString(file);
    assertThatThrownBy(() -> KeptRunFile.write(file, tried, List.of("training.steps=30")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was edited since it was tried");
    assertThat(KeptRunFile.write(file, file, List.of("training.steps=30")))
        .hasFileName("run.yaml.before-2")
        .hasContent(second);
    assertThat(before).hasContent(TEXT);
  }
}
