package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What {@code doctor --capture} saved on a healthy host with one H100, read again. */
class CapturedHostTests {
  @Test
  void readsTheHostAsItWas() {
    Path folder =
        Path.of(
            System.getProperty("duoka.repository"),
            "machine/src/test/resources/dev/duoka/machine/probe/h100-host");
    MachineSnapshot snapshot = FolderProbe.read(folder);
    assertThat(snapshot.driver().version()).isEqualTo(Reading.of("580.159.04"));
    assertThat(snapshot.notes()).isEmpty();
    assertThat(snapshot.host().cpu().optional()).isPresent();
    assertThat(snapshot.host().processors().optional()).isPresent();
    assertThat(snapshot.host().numaNodes().optional()).isPresent();
    assertThat(snapshot.gpuList()).hasSize(1);
    assertThat(snapshot.gpuList().getFirst().name()).isEqualTo(Reading.of("NVIDIA H100 80GB HBM3"));
  }
}
