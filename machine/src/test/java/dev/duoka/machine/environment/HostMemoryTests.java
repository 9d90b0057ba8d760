package dev.duoka.machine.environment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTests {
  private static final long MIB = 1L << 20;

  @TempDir Path root;

  @BeforeEach
  void aHostWithTwoGibibytes() throws IOException {
    write("proc/meminfo", "MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: 2097152 kB\n");
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void group(String folder, String limit, long usedMib, String stat) throws IOException {
    write(folder + "/memory.max", limit + "\n");
    write(folder + "/memory.current", usedMib * MIB + "\n");
    write(folder + "/memory.stat", stat);
  }

  private HostMemory free() {
    return HostMemory.free(root).orElseThrow();
  }

  @Test
  void withoutALimitItIsWhatTheHostHasAvailable() throws IOException {
    write("proc/self/cgroup", "0::/user.slice\n");
    group("sys/fs/cgroup/user.slice", "max", 100, "");
    assertThat(free()).isEqualTo(new HostMemory(2048 * MIB, "the host has 2.00 GiB available"));
  }

  @Test
  void aLimitOfTheOwnGroupCounts() throws IOException {
    write("proc/self/cgroup", "0::/job_1/step\n");
    group("sys/fs/cgroup/job_1/step", String.valueOf(1024 * MIB), 300, "anon 1\n");
    assertThat(free().bytes()).isEqualTo(724 * MIB);
    assertThat(free().limit())
        .isEqualTo("the control group /job_1/step may use 1.00 GiB and has 724.00 MiB of it left");
  }

  @Test
  void aTighterLimitOfAGroupAboveCounts() throws IOException {
    write("proc/self/cgroup", "0::/job_1/step\n");
    group("sys/fs/cgroup/job_1/step", String.valueOf(1024 * MIB), 0, "");
    group("sys/fs/cgroup/job_1", String.valueOf(512 * MIB), 500, "");
    assertThat(free().bytes()).isEqualTo(12 * MIB);
    assertThat(free().limit()).contains("/job_1 may use");
  }

  @Test
  void inAContainerTheMountIsTheOwnGroup() throws IOException {
    write("proc/self/cgroup", "0::/kubepods/burstable/pod7/abc\n");
    group("sys/fs/cgroup", String.valueOf(256 * MIB), 56, "");
    assertThat(free().bytes()).isEqualTo(200 * MIB);
    write("proc/self/cgroup", "0::/../../elsewhere\n");
    assertThat(free().bytes()).isEqualTo(2048 * MIB);
    write("proc/self/cgroup", "0::/\n");
    assertThat(free().bytes()).isEqualTo(200 * MIB);
  }

  @Test
  void pageCacheIsGivenBack() throws IOException {
    write("proc/self/cgroup", "0::/a\n");
    String stat =
        "anon 5\ninactive_file " + 600 * MIB + "\nactive_file " + 200 * MIB + "\nshmem 7\n";
    group("sys/fs/cgroup/a", String.valueOf(1024 * MIB), 1024, stat);
    assertThat(free().bytes()).isEqualTo(800 * MIB);
  }

  @Test
  void versionOneIsReadToo() throws IOException {
    write("proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory:/docker/abc\n0::/\n");
    String folder = "sys/fs/cgroup/memory/docker/abc/";
    write(folder + "memory.limit_in_bytes", 512 * MIB + "\n");
    write(folder + "memory.usage_in_bytes", 500 * MIB + "\n");
    write(folder + "memory.stat", "inactive_file 1\ntotal_inactive_file " + 88 * MIB + "\n");
    assertThat(free().bytes()).isEqualTo(100 * MIB);
    write(folder + "memory.limit_in_bytes", "9223372036854771712\n");
    assertThat(free().bytes()).isEqualTo(2048 * MIB);
  }

  @Test
  void aGroupAboveItsLimitHasNothingLeft() throws IOException {
    write("proc/self/cgroup", "0::/a\n");
    group("sys/fs/cgroup/a", String.valueOf(100 * MIB), 130, "");
    assertThat(free().bytes()).isZero();
  }

  @Test
  void whatIsNoNumberIsNoLimit() throws IOException {
    write("proc/self/cgroup", "0::/a\nno group at all\n");
    group("sys/fs/cgroup/a", "lots", 130, "inactive_file many\n");
    assertThat(free().bytes()).isEqualTo(2048 * MIB);
    write("proc/meminfo", "nothing\n");
    assertThat(HostMemory.free(root)).isEmpty();
  }

  @Test
  void readsThisHost() {
    assertThat(HostMemory.free().orElseThrow().bytes()).isPositive();
  }
}
