package dev.duoka.machine.probe;

import java.util.List;
import java.util.Optional;

/** What a captured text is, told by its content: people name such files as they like. */
enum CaptureKind {
  SMI_QUERY,
  SMI_CSV,
  SMI_TABLE,
  SMI_TOPOLOGY,
  SMI_LIST,
  LSPCI,
  LSPCI_TREE,
  KERNEL_LOG,
  ULIMIT,
  LIMITS,
  DF,
  MEMINFO,
  CPUINFO,
  LSCPU,
  NUMACTL,
  NVCC,
  DRIVER_MODULE,
  COLLECT_ENV,
  PACKAGES,
  ENVIRONMENT;

  /** The kind of a text, if it is one of those that are read. */
  static Optional<CaptureKind> of(String text) {
    List<String> lines = text.lines().limit(4000).toList();
    if (text.contains("NVSMI LOG") || any(lines, "GPU [0-9A-Fa-f]{4,16}:[0-9A-Fa-f]{2}:.*")) {
      return Optional.of(SMI_QUERY);
    }
    if (text.contains("| NVIDIA-SMI ")) {
      return Optional.of(SMI_TABLE);
    }
    if (lines.stream().anyMatch(SmiCsvReader::isHead)) {
      return Optional.of(SMI_CSV);
    }
    if (any(lines, "(\\u001b\\[\\dm)?\\s*GPU0\\s.*") && !text.contains("UUID:")) {
      return Optional.of(SMI_TOPOLOGY);
    }
    if (any(lines, SmiListReader.GPU.pattern())) {
      return Optional.of(SMI_LIST);
    }
    if (text.contains("PyTorch version:")) {
      return Optional.of(COLLECT_ENV);
    }
    if (any(lines, LspciReader.DEVICE.pattern())) {
      return Optional.of(LSPCI);
    }
    if (lines.stream().filter(line -> LspciReader.TREE.matcher(line).matches()).count() >= 2) {
      return Optional.of(LSPCI_TREE);
    }
    if (text.contains("NVRM version:")) {
      return Optional.of(DRIVER_MODULE);
    }
    if (text.contains("MemTotal:")) {
      return Optional.of(MEMINFO);
    }
    if (any(lines, "Max open files\\s+.*")) {
      return Optional.of(LIMITS);
    }
    if (any(lines, "open files\\s+\\(.*-n\\).*") || any(lines, "max locked memory\\s+\\(.*")) {
      return Optional.of(ULIMIT);
    }
    if (text.contains("/dev/shm") && any(lines, "Filesystem\\s+.*")) {
      return Optional.of(DF);
    }
    if (any(lines, "CPU\\(s\\):\\s+\\d+.*")) {
      return Optional.of(LSCPU);
    }
    if (any(lines, "available: \\d+ nodes? \\(.*")) {
      return Optional.of(NUMACTL);
    }
    if (any(lines, "processor\\s*:\\s*\\d+")) {
      return Optional.of(CPUINFO);
    }
    if (text.contains("nvcc: NVIDIA") || text.contains("Cuda compilation tools")) {
      return Optional.of(NVCC);
    }
    if (lines.stream().anyMatch(KernelLogReader::looksLikeKernel)) {
      return Optional.of(KERNEL_LOG);
    }
    return packagesOrEnvironment(text, lines);
  }

  private static Optional<CaptureKind> packagesOrEnvironment(String text, List<String> lines) {
    if (text.startsWith("# packages in environment")
        || any(lines, "Package\\s+Version.*")
        || any(lines, "\\s*(torch|numpy|nvidia-[a-z0-9-]+)==\\d.*")) {
      return Optional.of(PACKAGES);
    }
    long variables =
        lines.stream().filter(line -> ShellReader.VARIABLE.matcher(line).matches()).count();
    return variables > 0 && variables * 2 >= lines.size()
        ? Optional.of(ENVIRONMENT)
        : Optional.empty();
  }

  private static boolean any(List<String> lines, String pattern) {
    java.util.regex.Pattern compiled = java.util.regex.Pattern.compile(pattern);
    return lines.stream().anyMatch(line -> compiled.matcher(line.stripTrailing()).matches());
  }

  /** Reads a text of this kind into the facts. */
  void read(String text, SnapshotDraft facts, String source) {
    switch (this) {
      case SMI_QUERY -> SmiQueryReader.read(text, facts, source);
      case SMI_CSV -> SmiCsvReader.read(text, facts, source);
      case SMI_TABLE -> SmiTableReader.read(text, facts, source);
      case SMI_TOPOLOGY -> {
        if (facts.topologyText.isEmpty()) {
          facts.topologyText = text;
        }
      }
      case SMI_LIST -> SmiListReader.read(text, facts);
      case LSPCI -> LspciReader.read(text, facts);
      case LSPCI_TREE -> LspciReader.readTree(text, facts);
      case KERNEL_LOG -> KernelLogReader.read(text, facts);
      case ULIMIT -> ShellReader.ulimit(text, facts);
      case LIMITS -> ShellReader.limits(text, facts);
      case DF -> ShellReader.df(text, facts);
      case MEMINFO -> ShellReader.memory(text, facts);
      case CPUINFO -> ShellReader.cpu(text, facts);
      case LSCPU -> ShellReader.lscpu(text, facts);
      case NUMACTL -> ShellReader.numactl(text, facts);
      case NVCC -> ShellReader.nvcc(text, facts);
      case DRIVER_MODULE -> ShellReader.driverModule(text, facts, source);
      case COLLECT_ENV -> PackageListReader.collectEnv(text, facts, source);
      case PACKAGES -> PackageListReader.read(text, facts, source);
      case ENVIRONMENT -> ShellReader.environment(text, facts);
    }
  }
}
