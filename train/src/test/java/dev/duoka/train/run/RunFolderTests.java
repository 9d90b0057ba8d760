package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTests {
  @TempDir Path folder;
  private final List<String> notices = new ArrayList<>();

  @Test
  void letsOneRunInAndSaysWhoIsThere() throws IOException {
    Path run = folder.resolve("run");
    try (RunFolder _ = RunFolder.open(run, false, notices::add)) {
      assertThatThrownBy(() -> RunFolder.open(run, false, notices::add))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining(
              "the run folder "
                  + run
                  + " is in use by process "
                  + ProcessHandle.current().pid()
                  + " since 20")
          .hasMessageContaining("--run-dir");
    }
    try (RunFolder again = RunFolder.open(run, false, notices::add)) {
      assertThat(again.changes(config())).singleElement().asString().contains("there is no");
    }
    assertThat(notices).isEmpty();
  }

  @Test
  void leavesNothingWhereNothingWasBegun() throws IOException {
    Path run = folder.resolve("run");
    RunFolder.open(run, false, notices::add).close();
    assertThat(run).doesNotExist();
    Path own = Files.createDirectory(folder.resolve("own"));
    RunFolder.open(own, false, notices::add).close();
    assertThat(own).exists();
  }

  @Test
  void tellsWhatChangedSinceTheLastSession() throws IOException {
    Path run = folder.resolve("run");
    try (RunFolder first = RunFolder.open(run, false, notices::add)) {
      first.begin(config());
    }
    try (RunFolder second = RunFolder.open(run, true, notices::add)) {
      assertThat(second.changes(config("optimizer.learning_rate=1", "run_dir=elsewhere")))
          .containsExactly("changed since the last session: optimizer.learning_rate: 0.003 → 1.0");
      assertThat(second.changes(config())).isEmpty();
      Files.writeString(run.resolve("run.yaml"), "modle: {}");
      assertThat(second.changes(config()))
          .singleElement()
          .asString()
          .contains("cannot compare", "modle");
    }
  }

  @Test
  void saysWhyItCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> RunFolder.open(file, false, notices::add))
        .hasMessageContaining(
            "cannot write the run folder " + file + ": something of that name is in the way");
  }

  private RunConfig config(String... overrides) throws IOException {
    return SmallRun.config(folder, overrides);
  }
}
