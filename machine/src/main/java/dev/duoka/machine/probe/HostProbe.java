package dev.duoka.machine.probe;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the host from /proc and /sys below a root. */
final class HostProbe {
  /** The files that are read, for the capture; sysfs folders of PCI devices are added to these. */
  static final List<String> FILES =
      List.of(
          "proc/cpuinfo",
          "proc/meminfo",
          "proc/self/limits",
          "proc/self/status",
          "proc/self/cgroup",
          "proc/version",
          "proc/cmdline",
          "proc/driver/nvidia/version",
          "sys/devices/system/node/online",
          "sys/devices/system/node/has_cpu",
          "sys/fs/cgroup/memory.max",
          "sys/fs/cgroup/cpu.max",
          "sys/fs/cgroup/memory/memory.limit_in_bytes",
          "sys/fs/cgroup/cpu/cpu.cfs_quota_us",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us",
          ".dockerenv",
          "run/.containerenv",
          "run/systemd/container");

  private static final Pattern STATUS_CPUS =
      Pattern.compile("(?m)^Cpus_allowed_list:\\s*(\\S+)\\s*$");

  private final SystemFiles files;
  private final SnapshotDraft facts;

  HostProbe(SystemFiles files, SnapshotDraft facts) {
    this.files = files;
    this.facts = facts;
  }

  void read() {
    files.text("proc/cpuinfo").ifPresent(text -> ShellReader.cpu(text, facts));
    files.text("proc/meminfo").ifPresent(text -> ShellReader.memory(text, facts));
    files.text("proc/self/limits").ifPresent(text -> ShellReader.limits(text, facts));
    files
        .text("proc/driver/nvidia/version")
        .ifPresent(text -> ShellReader.driverModule(text, facts, "/proc/driver/nvidia/version"));
    files
        .text("proc/self/status")
        .map(STATUS_CPUS::matcher)
        .filter(Matcher::find)
        .ifPresent(matcher -> facts.host(HostField.ALLOWED, matcher.group(1)));
    files
        .line("sys/devices/system/node/has_cpu")
        .or(() -> files.line("sys/devices/system/node/online"))
        .ifPresent(list -> facts.host(HostField.NUMA_NODES, Integer.toString(count(list))));
    files
        .line("proc/version")
        .map(text -> text.split("\\s+"))
        .filter(words -> words.length > 2)
        .ifPresent(words -> facts.host(HostField.KERNEL, words[2]));
    cgroup();
    container().ifPresent(kind -> facts.host(HostField.CONTAINER, kind));
    files
        .line("proc/cmdline")
        .flatMap(HostProbe::iommu)
        .ifPresent(state -> facts.host(HostField.IOMMU, state));
  }

  private void cgroup() {
    String own =
        files
            .text("proc/self/cgroup")
            .flatMap(text -> text.lines().filter(line -> line.startsWith("0::")).findFirst())
            .map(line -> line.substring(3).strip())
            .orElse("/");
    // In a container the own group is the root of what is mounted; on a host it lies below.
    for (String folder : List.of("sys/fs/cgroup" + own + "/", "sys/fs/cgroup/")) {
      files
          .line(folder + "memory.max")
          .ifPresent(text -> facts.host(HostField.CGROUP_MEMORY, text));
      files
          .line(folder + "cpu.max")
          .map(HostProbe::processors)
          .ifPresent(text -> facts.host(HostField.CGROUP_CPUS, text));
    }
    files
        .line("sys/fs/cgroup/memory/memory.limit_in_bytes")
        .map(text -> text.length() >= 19 ? "max" : text) // the kernel's "no limit" is near 2^63
        .ifPresent(text -> facts.host(HostField.CGROUP_MEMORY, text));
    Optional<String> quota = files.line("sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    Optional<String> period = files.line("sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (quota.isPresent() && period.isPresent()) {
      facts.host(
          HostField.CGROUP_CPUS,
          quota.get().startsWith("-") ? "max" : processors(quota.get() + " " + period.get()));
    }
  }

  /** For example {@code 400000 100000}: four processors. */
  private static String processors(String text) {
    String[] words = text.split("\\s+");
    if (words.length < 2 || words[0].equals("max")) {
      return "max";
    }
    double quota = FieldText.number(words[0]).optional().orElse(0.0);
    double period = FieldText.number(words[1]).optional().orElse(0.0);
    return quota > 0 && period > 0 ? Double.toString(quota / period) : "max";
  }

  private Optional<String> container() {
    if (files.exists(".dockerenv")) {
      return Optional.of("docker");
    }
    if (files.exists("run/.containerenv")) {
      return Optional.of("podman");
    }
    Optional<String> systemd = files.line("run/systemd/container");
    if (systemd.isPresent()) {
      return systemd;
    }
    Optional<String> cgroup = files.text("proc/self/cgroup");
    if (cgroup.isEmpty()) {
      return Optional.empty();
    }
    String text = cgroup.get();
    for (String kind : List.of("kubepods", "docker", "libpod", "lxc", "garden")) {
      if (text.contains(kind)) {
        return Optional.of(kind.equals("kubepods") ? "kubernetes" : kind);
      }
    }
    return Optional.of("none");
  }

  /** What the kernel's command line says of the IOMMU. */
  static Optional<String> iommu(String commandLine) {
    if (commandLine.matches(".*\\b(iommu|intel_iommu|amd_iommu)=off\\b.*")) {
      return Optional.of("off");
    }
    if (commandLine.matches(".*\\biommu(\\.passthrough=1|=pt)\\b.*")) {
      return Optional.of("passthrough");
    }
    return commandLine.matches(".*\\b(intel_iommu|amd_iommu|iommu)=(on|force)\\b.*")
        ? Optional.of("translating")
        : Optional.empty();
  }

  /** How many numbers a list such as {@code 0-3,8} has. */
  static int count(String list) {
    long count = 0;
    for (String part : list.strip().split(",")) {
      String[] ends = part.split("-");
      long first = FieldText.whole(ends[0]).optional().orElse(-1L);
      long last = ends.length > 1 ? FieldText.whole(ends[1]).optional().orElse(-1L) : first;
      if (first >= 0 && last >= first) {
        count += last - first + 1;
      }
    }
    return (int) Math.min(count, 1_000_000);
  }
}
