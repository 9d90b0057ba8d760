package dev.duoka.machine.probe;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the small outputs: ulimit, df, env, nvcc, /proc files. */
final class ShellReader {
  static final Pattern VARIABLE = Pattern.compile("(?:export )?([A-Za-z_][A-Za-z0-9_]*)=(.*)");
  private static final Pattern ULIMIT = Pattern.compile("(.+?)\\s+\\(.*-[a-zA-Z]\\)\\s+(\\S+)");
  private static final Pattern DF =
      Pattern.compile("(\\S+)\\s+([\\d.]+)([KMGT]i?)?\\s+\\S+\\s+\\S+\\s+\\S+%?\\s+(/dev/shm)");
  private static final Pattern NODES = Pattern.compile("available: (\\d{1,4}) nodes?");
  private static final Pattern NVCC = Pattern.compile("release (\\d+\\.\\d+)");
  private static final Pattern MODULE =
      Pattern.compile("NVRM version:.*?\\s(\\d{3}\\.\\d+(?:\\.\\d+)?)\\s.*");

  private ShellReader() {}

  static void ulimit(String text, SnapshotDraft facts) {
    for (String line : text.lines().toList()) {
      Matcher matcher = ULIMIT.matcher(line.strip());
      if (!matcher.matches()) {
        continue;
      }
      String value = matcher.group(2);
      String name = matcher.group(1).toLowerCase(Locale.ROOT);
      if (name.startsWith("open files")) {
        facts.host(HostField.OPEN_FILES, value);
      } else if (name.startsWith("max locked memory")) {
        facts.host(HostField.LOCKED_MEMORY, value.equals("unlimited") ? value : kilobytes(value));
      }
    }
  }

  /** The limits of a process, as {@code /proc/self/limits} lists them. */
  static void limits(String text, SnapshotDraft facts) {
    for (String line : text.lines().toList()) {
      List<String> words = List.of(line.strip().split("\\s{2,}"));
      if (words.size() >= 3 && words.getFirst().equals("Max open files")) {
        facts.host(HostField.OPEN_FILES, words.get(1));
      } else if (words.size() >= 3 && words.getFirst().equals("Max locked memory")) {
        facts.host(HostField.LOCKED_MEMORY, words.get(1));
      }
    }
  }

  static void df(String text, SnapshotDraft facts) {
    int kilo = text.contains("1M-blocks") ? 1 << 20 : text.contains("512-blocks") ? 512 : 1024;
    for (String line : text.lines().toList()) {
      Matcher matcher = DF.matcher(line.strip());
      if (matcher.matches()) {
        double size = FieldText.number(matcher.group(2)).optional().orElse(0.0);
        double unit =
            matcher.group(3) == null
                ? kilo
                : switch (matcher.group(3).charAt(0)) {
                  case 'K' -> 1 << 10;
                  case 'M' -> 1 << 20;
                  case 'G' -> 1 << 30;
                  default -> 1L << 40;
                };
        facts.host(HostField.SHM, Long.toString((long) (size * unit)));
      }
    }
  }

  static void environment(String text, SnapshotDraft facts) {
    facts.environmentRead = true;
    for (String line : text.lines().toList()) {
      Matcher matcher = VARIABLE.matcher(line.strip());
      if (matcher.matches() && EnvironmentFilter.matters(matcher.group(1))) {
        String value = matcher.group(2).strip();
        facts.environment.putIfAbsent(
            matcher.group(1),
            value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value);
      }
    }
  }

  static void nvcc(String text, SnapshotDraft facts) {
    Matcher matcher = NVCC.matcher(text);
    if (matcher.find() && facts.toolkit.isEmpty()) {
      facts.toolkit = matcher.group(1);
    }
  }

  static void driverModule(String text, SnapshotDraft facts, String source) {
    Matcher matcher = MODULE.matcher(text);
    if (matcher.find()) {
      facts.kernelModules.putIfAbsent(matcher.group(1), source);
    }
  }

  static void memory(String text, SnapshotDraft facts) {
    for (String line : text.lines().toList()) {
      if (line.startsWith("MemTotal:")) {
        facts.host(HostField.MEMORY, kilobytes(line.substring(9)));
      } else if (line.startsWith("MemAvailable:")) {
        facts.host(HostField.MEMORY_AVAILABLE, kilobytes(line.substring(13)));
      }
    }
  }

  static void cpu(String text, SnapshotDraft facts) {
    long processors = text.lines().filter(line -> line.matches("processor\\s*:.*")).count();
    if (processors > 0) {
      facts.host(HostField.PROCESSORS, Long.toString(processors));
    }
    text.lines()
        .filter(line -> line.matches("model name\\s*:.*"))
        .findFirst()
        .ifPresent(
            line -> facts.host(HostField.CPU, line.substring(line.indexOf(':') + 1).strip()));
  }

  static void lscpu(String text, SnapshotDraft facts) {
    for (String raw : text.lines().toList()) {
      String line = raw.strip();
      String value = line.substring(line.indexOf(':') + 1).strip();
      if (line.startsWith("CPU(s):")) {
        facts.host(HostField.PROCESSORS, value);
      } else if (line.startsWith("Model name:")) {
        facts.host(HostField.CPU, value);
      } else if (line.startsWith("NUMA node(s):")) {
        facts.host(HostField.NUMA_NODES, value);
      }
    }
  }

  static void numactl(String text, SnapshotDraft facts) {
    Matcher matcher = NODES.matcher(text);
    if (matcher.find()) {
      facts.host(HostField.NUMA_NODES, matcher.group(1));
    }
  }

  private static String kilobytes(String text) {
    return FieldText.whole(text.replace("kB", ""))
        .optional()
        .map(n -> n * 1024)
        .orElse(0L)
        .toString();
  }
}
