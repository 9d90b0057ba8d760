package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A run whose states pass through the device writes what one writes whose states are there, and
 * goes on from its checkpoints and the other way round, bit for bit.
 */
class PassingStatesRunTests {
  private static final String AWAY = "memory.offload=optimizer";
  private static final String HALF = "memory.offload_fraction=0.5";

  @TempDir Path folder;

  private Path run(String name, List<String> settings, int steps, boolean resume, String... more)
      throws IOException {
    List<String> overrides = new ArrayList<>(settings);
    overrides.addAll(List.of(more));
    overrides.add("training={tokens_per_step: 256, micro_batch: 2, steps: 4, precision: bf16}");
    overrides.add("schedule.warmup_steps=1");
    overrides.add("device=auto"); // where it is known to be a CPU, states have nowhere to go
    overrides.add("validation={every_steps: 2, sequences: 4}");
    overrides.add("checkpoint={every_steps: 2}");
    Path run = folder.resolve(name);
    SmallRun.run(
        SmallRun.config(folder, overrides.toArray(String[]::new)),
        run,
        new SmallRun.Listener(),
        steps,
        resume);
    return run.resolve("checkpoints/step-00000004");
  }

  /** Of states that the host updates. */
  @ParameterizedTest
  @CsvSource({"fp32, true", "8bit, false"})
  void goesOnWhereTheHostUpdates(String moments, boolean master) throws IOException {
    List<String> settings =
        List.of(
            "parallel={data: 2, zero: 1}",
            "memory.moments=" + moments,
            "memory.master_weights=" + master,
            "memory.offload_update=host");
    Path at = run("host", settings, 0, false, AWAY);
    run("stopped", settings, 2, false, AWAY);
    Path resumed = run("stopped", settings, 0, true, AWAY);
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      assertThat(resumed.resolve(file)).hasSameBinaryContentAs(at.resolve(file));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{data: 1}; fp32; true",
        "{data: 2, zero: 2}; 8bit; false",
        "{data: 2, zero: 3}; bf16; true",
      })
  void goesOnFromAnyPlace(String parallel, String moments, boolean master) throws IOException {
    List<String> settings =
        List.of(
            "parallel=" + parallel, "memory.moments=" + moments, "memory.master_weights=" + master);
    Path here = run("here", settings, 0, false);
    run("sent away", settings, 2, false);
    Path sentAway = run("sent away", settings, 0, true, AWAY);
    run("brought back", settings, 2, false, AWAY);
    Path broughtBack = run("brought back", settings, 0, true);
    Path away = run("away", settings, 0, false, AWAY);
    run("half away", settings, 2, false, AWAY, HALF);
    Path halfAway = run("half away", settings, 0, true, AWAY, HALF);
    for (Path other : List.of(sentAway, broughtBack, away, halfAway)) {
      for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
        assertThat(other.resolve(file)).hasSameBinaryContentAs(here.resolve(file));
      }
    }
  }
}
