package dev.duoka.machine.environment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.library.LibraryChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentReportTests {
  @Test
  void reportsThisMachine() {
    EnvironmentReport report = EnvironmentReport.collect();
    LibraryChoice chosen = report.libTorch().chosen().orElseThrow();
    assertThat(report.libTorch().considered()).contains(chosen);
    assertThat(report.libTorch().abiVersion().orElseThrow()).matches("2\\.\\d+\\.\\d+");
    assertThat(report.libTorch().problem()).isEmpty();
    assertThat(report.libraries()).map(LibraryFacts::name).contains("NVRTC", "cuDNN", "NCCL");
    assertThat(report.libraries())
        .allMatch(library -> library.version().isPresent() != library.problem().isPresent());
    assertThat(report.cuda().usable()).isEqualTo(report.cuda().problem().isEmpty());
    assertThat(report.cuda().remedy().isPresent()).isEqualTo(report.cuda().problem().isPresent());
    assertThat(report.java().version()).isEqualTo(Runtime.version().toString());
    assertThat(report.host().processors()).isPositive();
    assertThat(report.host().memory().orElseThrow())
        .isGreaterThan(report.host().availableMemory().orElseThrow());
    assertThat(report.threads().openMp().orElse(1)).isPositive();
  }

  @Test
  void readsProcessorAndMemory(@TempDir Path root) throws IOException {
    Files.createDirectories(root.resolve("proc"));
    Files.createDirectories(root.resolve("sys/fs/cgroup"));
    StringBuilder cpu = new StringBuilder();
    for (int thread = 0; thread < 8; thread++) {
      cpu.append("processor\t: ").append(thread).append('\n');
      cpu.append("model name\t: Xeon Gold: 6430\n");
      cpu.append("physical id\t: ").append(thread % 2).append('\n');
      cpu.append("core id\t\t: ").append(thread / 2 % 2).append("\n\n");
    }
    Files.writeString(root.resolve("proc/cpuinfo"), cpu);
    Files.writeString(
        root.resolve("proc/meminfo"), "MemTotal:       1000 kB\nMemAvailable:    600 kB\n");
    Files.writeString(root.resolve("sys/fs/cgroup/memory.max"), "65536\n");
    HostFacts host = HostFacts.collect(root);
    assertThat(host.cpuModel()).contains("Xeon Gold: 6430");
    assertThat(host.cores()).contains(4);
    assertThat(host.memory()).contains(1_024_000L);
    assertThat(host.availableMemory()).contains(614_400L);
    assertThat(host.memoryLimit()).contains(65_536L);
  }

  @Test
  void whatTheSystemDoesNotTellIsEmpty(@TempDir Path root) throws IOException {
    Files.createDirectories(root.resolve("sys/fs/cgroup"));
    Files.writeString(root.resolve("sys/fs/cgroup/memory.max"), "max\n");
    HostFacts host = HostFacts.collect(root);
    assertThat(host.cpuModel()).isEmpty();
    assertThat(host.cores()).isEmpty();
    assertThat(host.memory()).isEmpty();
    assertThat(host.memoryLimit()).isEmpty();
  }
}
