package dev.duoka.operations.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a process has taken of this machine.
 *
 * @param cpuNanos nanoseconds of all its threads together since it began
 * @param bytes of memory that it has now, files that it has mapped and read among them
 */
public record ProcessLoad(long cpuNanos, long bytes) {
  private static final String RESIDENT = "VmRSS:";

  /** What a process has taken so far; empty when it is gone. */
  public static Optional<ProcessLoad> of(ProcessIdentity process) {
    if (!process.isAlive()) {
      return Optional.empty();
    }
    try {
      long kibibytes =
          Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
              .filter(line -> line.startsWith(RESIDENT))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElse(0);
      return ProcessHandle.of(process.pid())
          .flatMap(it -> it.info().totalCpuDuration())
          .map(cpu -> new ProcessLoad(cpu.toNanos(), kibibytes << 10));
    } catch (IOException e) {
      return Optional.empty(); // it has ended meanwhile
    }
  }
}
