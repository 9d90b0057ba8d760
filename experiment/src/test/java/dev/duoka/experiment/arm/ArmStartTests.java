package dev.duoka.experiment.arm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.train.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArmStartTests {
  @TempDir Path folder;

  @Test
  void theCheckpointIsLaidIntoTheArmAndStays() throws IOException {
    Path run = folder.resolve("earlier");
    Path checkpoint = run.resolve("checkpoints/step-00000040");
    Files.createDirectories(checkpoint.resolve("inner"));
    Files.writeString(checkpoint.resolve("inner/state"), "of step 40");
    Files.writeString(run.resolve("run.yaml"), "as it was");
    Path arm = Files.createDirectory(folder.resolve("arm"));
    new ArmStart(run, new Checkpoint(checkpoint, 40)).into(arm);
    Path laid = arm.resolve("checkpoints/step-00000040/inner/state");
    assertThat(laid).hasContent("of step 40");
    assertThat(arm.resolve("run.yaml")).hasContent("as it was");
    Files.delete(laid);
    assertThat(checkpoint.resolve("inner/state")).hasContent("of step 40");
  }
}
