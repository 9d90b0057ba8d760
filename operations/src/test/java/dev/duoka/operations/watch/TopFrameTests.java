package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TopFrameTests {
  @TempDir Path folder;

  private String frame(int columns, int lines) {
    WatchedRun run = RunFolders.run(folder);
    run.readAll();
    return String.join("\n", new TopFrame(columns, lines).of(run, List.of("GPU 0  97 %")));
  }

  @Test
  void showsTheNumbers() throws IOException {
    RunFolders.write(folder);
    Files.writeString(folder.resolve("run.log"), "last words\n");
    assertThat(frame(80, 24))
        .contains("step 3")
        .contains("loss       4.500      █×▁")
        .contains("validation 4.250")
        .contains("live 1.00 KiB")
        .contains("exposed    data 0.01000")
        .contains("gradients  lm_head NaN  layers.0 3.000")
        .contains("GPU 0  97 %")
        .contains("last words");
  }

  @Test
  void fitsTheScreen() throws IOException {
    RunFolders.write(folder);
    Files.writeString(folder.resolve("run.log"), "损失".repeat(100) + "\n" + "line\n".repeat(100));
    for (String line : frame(60, 30).split("\n")) {
      assertThat(line.codePoints().map(it -> Character.isIdeographic(it) ? 2 : 1).sum())
          .isLessThanOrEqualTo(60);
    }
    assertThat(frame(60, 30).lines()).hasSizeLessThanOrEqualTo(30);
    assertThat(frame(60, 16).lines()).hasSize(16);
  }

  @Test
  void controlsOfOthersTextAreShown() throws IOException {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        "{\"step\":1,\"grad_range\":[{\"layer\":\"\\u001b]0;title\\u0007\",\"max\":1,\"min\":0,\"rms\":1}]}\n");
    Files.writeString(folder.resolve("run.log"), "\033[2J\033[Hgone\n");
    assertThat(frame(80, 24)).contains("␛[2J␛[Hgone", "␛]0;title␇").doesNotContain("\033", "\007");
  }

  @Test
  void aFolderWithNothingYetIsShown() throws IOException {
    Files.createFile(folder.resolve("metrics.jsonl"));
    assertThat(frame(80, 24)).contains("step 0");
  }
}
