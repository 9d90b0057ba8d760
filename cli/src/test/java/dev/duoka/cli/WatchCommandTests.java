package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code duoka top} and {@code duoka watch}, as far as they end by themselves. */
final class WatchCommandTests {
  @TempDir Path folder;
  private final ProgramRun program = new ProgramRun();

  @Test
  void aFolderThatIsInNoListIsShown() throws IOException {
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":7,\"loss\":2.5,\"tokens\":8}\n");
    assertThat(program.run("top", folder.toString(), "--once")).isZero();
    assertThat(program.out().toString())
        .contains(folder.getFileName().toString(), "step 7", "loss       2.500")
        .doesNotContain("\033");
  }

  @Test
  void whatIsNoRunIsRefused() {
    for (String command : new String[] {"top", "watch"}) {
      assertThat(program.run(command, folder.toString())).isEqualTo(2);
      assertThat(program.err().toString()).contains("there is no run");
    }
  }

  @Test
  void portsThatCannotBeAreRefused() throws IOException {
    Files.createFile(folder.resolve("metrics.jsonl"));
    assertThat(program.run("watch", folder.toString(), "--port", "65536")).isEqualTo(2);
    assertThat(program.err().toString()).contains("--port is 65536");
  }
}
