package dev.duoka.train.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogCutTests {
  private static final String LAST = "ended: stopped by a rollback to step 10";

  @TempDir Path folder;
  private Path run;
  private Path aside;

  @BeforeEach
  void makeFolders() throws IOException {
    run = Files.createDirectories(folder.resolve("run"));
    aside = Files.createDirectories(folder.resolve("aside"));
    Files.write(
        run.resolve("run.log"),
        List.of(
            "2026-11-29T06:00:00Z saved run/checkpoints/step-00000010 (3 MiB in 0.1 s)",
            "2026-11-29T06:00:05Z saved run/checkpoints/step-00000020 (3 MiB in 0.1 s)",
            "2026-11-29T06:01:00Z resuming after step 5",
            "2026-11-29T06:01:05Z saved run/checkpoints/step-00000010 (3 MiB in 0.1 s)",
            "2026-11-29T06:01:05Z step 20: validation loss 2",
            "2026-11-29T06:01:09Z saved run/checkpoints/step-00000020 (3 MiB in 0.1 s)"));
    Files.write(
        run.resolve("process-1.log"),
        List.of("2026-11-29T06:01:04Z before", "2026-11-29T06:01:06Z after", "  and its rest"));
  }

  @Test
  void logsEndWhereTheCheckpointWasSavedLast() throws IOException {
    LogCut cut = new LogCut(run, 10);
    cut.copyAfter(aside);
    cut.keepUpTo(LAST);
    cut.keepUpTo(LAST);
    assertThat(Files.readAllLines(run.resolve("run.log")))
        .hasSize(5)
        .satisfies(lines -> assertThat(lines.get(3)).contains("06:01:05Z saved"))
        .last()
        .satisfies(line -> assertThat(line).endsWith("Z " + LAST));
    assertThat(aside.resolve("run.log")).content().contains("validation loss 2", "06:01:09Z");
    assertThat(Files.readAllLines(run.resolve("process-1.log")))
        .containsExactly("2026-11-29T06:01:04Z before");
    assertThat(Files.readAllLines(aside.resolve("process-1.log")))
        .containsExactly("2026-11-29T06:01:06Z after", "  and its rest");
  }

  @Test
  void whereNoLineTellsNothingIsCut() throws IOException {
    LogCut cut = new LogCut(run, 30);
    cut.copyAfter(aside);
    cut.keepUpTo(LAST);
    assertThat(aside.resolve("run.log")).isEmptyFile();
    assertThat(Files.readAllLines(run.resolve("run.log"))).hasSize(7);
    assertThat(Files.readAllLines(run.resolve("process-1.log"))).hasSize(3);
  }
}
