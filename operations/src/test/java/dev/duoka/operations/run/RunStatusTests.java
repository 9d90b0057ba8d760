package dev.duoka.operations.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.operations.process.ProcessIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that nobody supervises, by what they have said last. */
final class RunStatusTests {
  @TempDir Path folder;

  private RunStatus status() {
    return RunStatus.of(
        new RunRegistry.Entry(
            folder, Instant.EPOCH, 0, Optional.of(new ProcessIdentity(1, 1, "an earlier boot"))));
  }

  private void say(String line) throws IOException {
    Files.writeString(folder.resolve("run.log"), "2026-01-01T00:00:00Z steps 1 to 9\n" + line);
  }

  @Test
  void theLastWordSaysHowARunHasEnded() throws IOException {
    assertThat(status().state()).isEqualTo(RunStatus.State.LOST);
    say("2026-01-01T00:00:01Z failed: step 4 gave a loss of NaN\n");
    assertThat(status().state()).isEqualTo(RunStatus.State.FAILED);
    assertThat(status().reason()).isEqualTo("step 4 gave a loss of NaN");
    say("2026-01-01T00:00:01Z ended: stopped after step 4\n");
    assertThat(status().state()).isEqualTo(RunStatus.State.STOPPED);
    say("2026-01-01T00:00:01Z ended: stopped by --max-steps after step 4 of 9; x goes on\n");
    assertThat(status().state()).isEqualTo(RunStatus.State.STOPPED);
    assertThat(status().reason()).isEqualTo("stopped by --max-steps after step 4 of 9; x goes on");
    say("2026-01-01T00:00:01Z ended: complete after step 4\n");
    assertThat(status().state()).isEqualTo(RunStatus.State.DONE);
  }

  /** What an earlier session has said is not how this one has ended. */
  @Test
  void whoHasSaidMoreSinceIsLost() throws IOException {
    say("2026-01-01T00:00:01Z ended: stopped after step 4\n2026-01-01T00:00:02Z model x\n");
    assertThat(status().state()).isEqualTo(RunStatus.State.LOST);
    assertThat(status().reason()).isEmpty();
  }
}
