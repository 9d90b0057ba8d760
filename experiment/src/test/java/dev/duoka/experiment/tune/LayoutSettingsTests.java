package dev.duoka.experiment.tune;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.StateForm;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States of a part of the weights in host memory, as layouts and run files say it. */
final class LayoutSettingsTests {
  private static final String FRACTION = "memory.offload_fraction";

  @TempDir Path folder;

  private Path file(String memory) throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "text ".repeat(1000));
    return Files.writeString(
        folder.resolve("run.yaml"),
        """
        model: {preset: tiny-llama}
        data: {sources: [%s], sequence_length: 16, cache: %s}
        training: {tokens_per_step: 128, micro_batch: 4, steps: 1000}
        device: auto
        memory: {%s}
        """
            .formatted(text, folder.resolve("cache"), memory));
  }

  private static RunConfig read(Path file) {
    return RunFile.read(file, List.of());
  }

  @Test
  void aLayoutsFractionIsThatOfTheRunFileThatItMakes() throws IOException {
    Path file = file("offload: none");
    RunConfig config = read(file);
    Layout away = config.layout().with(0, Offload.OPTIMIZER, OffloadUpdate.DEVICE, StateForm.FULL);
    for (double fraction : new double[] {0.25, 0.5}) {
      Candidate candidate = LayoutSettings.of(file, config, away.offloading(fraction));
      assertThat(candidate.overrides())
          .containsExactly("memory.offload=optimizer", FRACTION + "=" + fraction);
      RunConfig made = RunFile.read(file, candidate.overrides());
      assertThat(made.memory().offloadFraction()).isEqualTo(fraction);
      assertThat(made.layout()).isEqualTo(away.offloading(fraction));
    }
    assertThat(LayoutSettings.of(file, config, away).overrides())
        .as("all of them need not be said")
        .containsExactly("memory.offload=optimizer");
  }

  @Test
  void aLayoutWithoutStatesAwayTakesTheFractionBack() throws IOException {
    Path file = file("offload: optimizer, offload_fraction: 0.5");
    RunConfig config = read(file);
    Layout none = config.layout().with(0, Offload.NONE, OffloadUpdate.DEVICE, StateForm.FULL);
    Layout host = config.layout().with(0, Offload.OPTIMIZER, OffloadUpdate.HOST, StateForm.FULL);
    assertThat(LayoutSettings.of(file, config, none).overrides())
        .containsExactlyInAnyOrder("memory.offload=none", FRACTION + "=1.0");
    assertThat(LayoutSettings.of(file, config, host).overrides())
        .containsExactlyInAnyOrder("memory.offload_update=host", FRACTION + "=1.0");
    assertThat(LayoutSettings.of(file, config, config.layout())).isEqualTo(Candidate.AS_IT_IS);
  }

  private List<Candidate> around(String memory) throws IOException {
    Path file = file(memory);
    return LayoutSettings.around(file, read(file), Candidate.AS_IT_IS).stream()
        .map(
            it ->
                it.only(
                    it.settings().keySet().stream()
                        .filter(LayoutSettingsTests::isOfMemory)
                        .toList()))
        .filter(it -> !it.settings().isEmpty())
        .toList();
  }

  private static boolean isOfMemory(String key) {
    return key.startsWith("memory.");
  }

  @Test
  void otherFractionsAreTriedWhereTheDeviceUpdates() throws IOException {
    assertThat(around("offload: optimizer, offload_fraction: 0.5"))
        .extracting(Candidate::toString)
        .containsExactlyInAnyOrder(
            "memory.offload=none memory.offload_update=device memory.offload_fraction=1.0",
            "memory.offload_update=host memory.offload_fraction=1.0",
            "memory.offload_fraction=0.25",
            "memory.offload_fraction=0.75",
            "memory.offload_fraction=1.0");
  }

  /** A run file with one would be refused. */
  @Test
  void noFractionIsTriedWhereItIsOfNothing() throws IOException {
    assertThat(around("offload: optimizer, offload_update: host"))
        .extracting(Candidate::toString)
        .containsExactlyInAnyOrder(
            "memory.offload=none memory.offload_update=device memory.offload_fraction=1.0",
            "memory.offload_update=device memory.offload_fraction=1.0");
    assertThat(around("offload: none"))
        .extracting(Candidate::toString)
        .containsExactly("memory.offload=optimizer");
  }
}
