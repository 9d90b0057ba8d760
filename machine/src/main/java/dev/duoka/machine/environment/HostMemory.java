package dev.duoka.machine.environment;

import dev.duoka.base.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What this process can still take of the host's memory before the kernel ends it: the least of
 * what the system has available and of what the limits of its control group and of all groups above
 * leave. Page cache counts as free, since the kernel gives it back; swap does not.
 *
 * @param bytes that are free
 * @param limit which limit says so, for example {@code the host has 21.3 GiB available}
 */
public record HostMemory(long bytes, String limit) {
  private static final String MOUNT = "sys/fs/cgroup";

  /** Version 1 writes a huge number for "no limit". */
  private static final long UNLIMITED = 1L << 60;

  /** What is free now; empty where the system does not tell. */
  public static Optional<HostMemory> free() {
    return free(Path.of("/"));
  }

  /** Reads the same files below another root, for tests. */
  static Optional<HostMemory> free(Path root) {
    List<HostMemory> limits = new ArrayList<>();
    field(root.resolve("proc/meminfo"), "MemAvailable:")
        .map(kibibytes -> 1024 * kibibytes)
        .ifPresent(
            bytes ->
                limits.add(
                    new HostMemory(bytes, "the host has " + ByteSize.text(bytes) + " available")));
    Version two =
        new Version(
            "memory.max",
            "memory.current",
            List.of("inactive_file", "active_file", "slab_reclaimable"));
    Version one =
        new Version(
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            List.of("total_inactive_file", "total_active_file"));
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3) {
        continue;
      }
      if (parts[1].isEmpty()) {
        groups(root, MOUNT, parts[2], two, limits);
        groups(root, MOUNT + "/unified", parts[2], two, limits);
      } else if (List.of(parts[1].split(",")).contains("memory")) {
        groups(root, MOUNT + "/memory", parts[2], one, limits);
      }
    }
    return limits.stream().min(Comparator.comparingLong(HostMemory::bytes));
  }

  /** The names of a version's files, and what of the usage the kernel gives back. */
  private record Version(String limit, String usage, List<String> reclaimable) {}

  /**
   * The process's own group and all above it. In a container the path may be the host's, which is
   * not there: then the group that is mounted is its own.
   */
  private static void groups(
      Path root, String mount, String own, Version version, List<HostMemory> limits) {
    Path top = root.resolve(mount).normalize();
    Path group = top.resolve(own.replaceFirst("^/+", "")).normalize();
    for (; group != null && group.startsWith(top); group = group.getParent()) {
      Optional<Long> limit = number(group.resolve(version.limit())).filter(max -> max < UNLIMITED);
      Optional<Long> usage = number(group.resolve(version.usage()));
      if (limit.isPresent() && usage.isPresent()) {
        long kept = usage.get();
        for (String cache : version.reclaimable()) {
          kept -= field(group.resolve("memory.stat"), cache + " ").orElse(0L);
        }
        long free = Math.max(0, limit.get() - Math.max(0, kept));
        limits.add(
            new HostMemory(
                free,
                "the control group /"
                    + top.relativize(group)
                    + " may use "
                    + ByteSize.text(limit.get())
                    + " and has "
                    + ByteSize.text(free)
                    + " of it left"));
      }
    }
  }

  private static Optional<Long> number(Path file) {
    return lines(file).stream().findFirst().flatMap(HostMemory::digits);
  }

  private static Optional<Long> field(Path file, String name) {
    return lines(file).stream()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .flatMap(line -> digits(line.substring(name.length()).replace("kB", "")));
  }

  private static Optional<Long> digits(String text) {
    String number = text.strip();
    return number.matches("\\d{1,18}") ? Optional.of(Long.valueOf(number)) : Optional.empty();
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // a limit that cannot be read is none that we can name
    }
  }
}
