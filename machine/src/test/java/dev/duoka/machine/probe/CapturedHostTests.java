package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.topology.Link;
import dev.duoka.machine.topology.Topology;
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

  @Test
  void readsAPairBehindASwitch() {
    Path folder =
        Path.of(
            System.getProperty("duoka.repository"),
            "machine/src/test/resources/dev/duoka/machine/probe/h100-pair-host");
    MachineSnapshot snapshot = FolderProbe.read(folder);
    assertThat(snapshot.driver().version()).isEqualTo(Reading.of("580.159.04"));
    assertThat(snapshot.notes()).isEmpty();
    assertThat(snapshot.gpuList()).hasSize(2);
    assertThat(snapshot.gpuList())
        .allMatch(gpu -> gpu.nvlink().active().equals(Reading.of(18)))
        .allMatch(gpu -> gpu.name().equals(Reading.of("NVIDIA H100 80GB HBM3")));
    Topology topology = snapshot.topology().optional().orElseThrow();
    assertThat(topology.link(0, 1)).contains(Link.nvlink(18));
  }
}
