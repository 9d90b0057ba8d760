package dev.duoka.machine.environment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The machine that this process runs on.
 *
 * @param system operating system and its version
 * @param architecture of the processor, for example {@code amd64}
 * @param cpuModel the processor's name; empty where the system does not tell
 * @param processors hardware threads that this process may use
 * @param cores cores of the whole machine; empty where the system does not tell
 * @param memory bytes of the whole machine
 * @param availableMemory bytes that programs can still take
 * @param memoryLimit bytes that this container may use; empty without a limit
 */
public record HostFacts(
    String system,
    String architecture,
    Optional<String> cpuModel,
    int processors,
    Optional<Integer> cores,
    Optional<Long> memory,
    Optional<Long> availableMemory,
    Optional<Long> memoryLimit) {

  static HostFacts collect() {
    return collect(Path.of("/"));
  }

  /** Reads the same files below another root, for tests. */
  static HostFacts collect(Path root) {
    List<String> cpu = lines(root.resolve("proc/cpuinfo"));
    List<String> memory = lines(root.resolve("proc/meminfo"));
    return new HostFacts(
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("os.arch", "unknown"),
        cpu.stream()
            .filter(line -> line.startsWith("model name"))
            .findFirst()
            .map(HostFacts::value),
        Runtime.getRuntime().availableProcessors(),
        cores(cpu),
        kibibytes(memory, "MemTotal:"),
        kibibytes(memory, "MemAvailable:"),
        limit(root));
  }

  private static Optional<Integer> cores(List<String> cpu) {
    Set<String> cores = new HashSet<>();
    String socket = "";
    for (String line : cpu) {
      if (line.startsWith("physical id")) {
        socket = value(line);
      } else if (line.startsWith("core id")) {
        cores.add(socket + "/" + value(line));
      }
    }
    return cores.isEmpty() ? Optional.empty() : Optional.of(cores.size());
  }

  private static Optional<Long> kibibytes(List<String> lines, String name) {
    return lines.stream()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .flatMap(line -> number(line.substring(name.length()).replace("kB", "")))
        .map(kibibytes -> 1024 * kibibytes);
  }

  private static Optional<Long> limit(Path root) {
    for (String file : List.of("memory.max", "memory/memory.limit_in_bytes")) {
      Optional<Long> limit =
          lines(root.resolve("sys/fs/cgroup").resolve(file)).stream()
              .findFirst()
              .flatMap(HostFacts::number)
              .filter(bytes -> bytes < 1L << 60); // version 1 writes a huge number for "none"
      if (limit.isPresent()) {
        return limit;
      }
    }
    return Optional.empty();
  }

  private static String value(String line) {
    return line.substring(line.indexOf(':') + 1).strip();
  }

  private static Optional<Long> number(String text) {
    String digits = text.strip();
    return digits.matches("\\d{1,18}") ? Optional.of(Long.valueOf(digits)) : Optional.empty();
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // what cannot be read is left out of the report
    }
  }
}
