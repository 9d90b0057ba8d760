package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.fault;
import static dev.duoka.doctor.check.Severity.ERROR;
import static dev.duoka.doctor.check.Severity.NOTE;
import static dev.duoka.doctor.check.Severity.WARNING;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of the host and the limits of its processes and containers. */
final class HostFaults {
  private HostFaults() {}

  static Stream<Arguments> all() {
    return Stream.of(
        fault(
            "numa",
            WARNING,
            m -> m.files.put("root/proc/self/status", "Cpus_allowed_list:\t0-31\n")),
        fault("shm", ERROR, m -> m.shmKib = 64 << 10),
        fault("shm", WARNING, m -> m.shmKib = 2 << 20),
        fault("memlock", NOTE, m -> m.memlock = "8192"),
        fault(
            "memlock",
            WARNING,
            m -> {
              m.memlock = "8192";
              m.files.put(
                  "nics.txt",
                  "0000:1a:00.0 Infiniband controller: Mellanox Technologies MT2910 Family"
                      + " [ConnectX-7]\n");
            }),
        fault("open-files", WARNING, m -> m.openFiles = "1024"),
        fault("host-memory", NOTE, m -> m.memoryKib = 64 << 20),
        fault(
            "container-limits",
            WARNING,
            m -> m.files.put("root/sys/fs/cgroup/cpu.max", "400000 100000")),
        fault(
            "container-limits",
            WARNING,
            m -> m.files.put("root/sys/fs/cgroup/memory.max", "34359738368")));
  }
}
