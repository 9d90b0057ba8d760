package dev.duoka.doctor.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script runs, among stand-ins for Slurm's commands. */
@Timeout(60)
final class SlurmScriptTests {
  private static final String NASTY = "/data/it's \"$(touch pwned)\"\nand `touch pwned`";

  @TempDir Path folder;
  private Path bin;

  @BeforeEach
  void makeStandIns() throws IOException {
    bin = Files.createDirectories(folder.resolve("bin"));
    standIn("scontrol", "printf '%s ' \"$@\" >>\"$FOLDER/told\"");
    standIn("scancel", "kill -TERM \"$(cat \"$FOLDER/pid\")\"");
  }

  private void standIn(String name, String body) throws IOException {
    Path file = Files.writeString(bin.resolve(name), "#!/bin/bash\n" + body + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static ContainerPlan plan(String input, int nodes) {
    return new ContainerPlan(
        "a-run",
        Optional.of(Path.of("/jobs/$(touch pwned)/run.yaml")),
        Path.of("/jobs"),
        List.of(Path.of(input)),
        Path.of("/scratch/runs"),
        4,
        nodes,
        240,
        false,
        Optional.empty(),
        Optional.empty(),
        "0.1.0");
  }

  private static String script(ContainerPlan plan) {
    return ContainerFiles.of(plan).getOrDefault("train.sbatch", "");
  }

  private Process start(ContainerPlan plan) throws IOException {
    Path script = Files.writeString(folder.resolve("train.sbatch"), script(plan));
    ProcessBuilder builder =
        new ProcessBuilder("bash", script.toString())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile());
    Map<String, String> environment = builder.environment();
    environment.put("PATH", bin + ":" + environment.getOrDefault("PATH", "/usr/bin:/bin"));
    environment.put("FOLDER", folder.toString());
    environment.put("IMAGE", "registry/image:1");
    environment.put("RUNS", folder.resolve("runs").toString());
    environment.put("SLURM_JOB_ID", "17");
    return builder.start();
  }

  private String read(String name) throws IOException {
    Path file = folder.resolve(name);
    return Files.exists(file) ? Files.readString(file) : "";
  }

  /** Names reach the container as they are, whatever they hold, and nothing of them is run. */
  @Test
  void namesAreTakenAsTheyAre() throws Exception {
    standIn("srun", "printf '%s\\0' \"$@\" >\"$FOLDER/words\"; exit 0");
    assertThat(start(plan(NASTY, 2)).waitFor()).as(read("output")).isZero();
    List<String> words = List.of(read("words").split("\0"));
    String runs = folder.resolve("runs").toString();
    String file = "/jobs/$(touch pwned)/run.yaml";
    assertThat(words)
        .contains(runs + ":/runs," + NASTY + ":" + NASTY + ":ro," + file + ":" + file + ":ro")
        .endsWith("duoka", "train", file, "--run-dir", "/runs/a-run", "--continue", "--supervise");
    assertThat(folder.resolve("pwned")).doesNotExist();
    assertThat(read("told")).isEmpty();
  }

  /**
   * The signal goes to the tasks; what is saved goes back into the queue, also when that is over
   * before the script has told all tasks.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "while [ -d \"/proc/$(cat \"$FOLDER/pid\")\" ]; do sleep 0.05; done; sleep 0.2"
      })
  void aRunThatIsSavedIsPutBackIntoTheQueue(String afterwards) throws Exception {
    standIn("scancel", "kill -TERM \"$(cat \"$FOLDER/pid\")\"; " + afterwards);
    standIn(
        "srun",
        "case \"$1\" in --help) exit 0;; esac; trap 'exit 75' TERM; echo $$ >\"$FOLDER/pid\"; "
            + "while true; do sleep 0.05; done");
    Process script = start(plan("/data", 1));
    while (read("pid").isBlank()) {
      Thread.sleep(20);
    }
    script.destroy(); // SIGTERM
    assertThat(script.waitFor()).as(read("output")).isEqualTo(75);
    assertThat(read("told")).isEqualTo("requeue 17 ");
  }

  @Test
  void whatCannotBeMountedIsRefused() {
    assertThatThrownBy(() -> ContainerFiles.of(plan("/data/a,b", 1)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot mount /data/a,b");
  }

  @Test
  @Tag("slurm")
  void shellcheckFindsNothing() throws Exception {
    for (int nodes : List.of(1, 2)) {
      Path script =
          Files.writeString(
              folder.resolve("checked"), script(plan("/data/it's $(touch pwned)", nodes)));
      Process check =
          new ProcessBuilder("shellcheck", "--severity=warning", script.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(check.waitFor()).as(said).isZero();
    }
  }
}
