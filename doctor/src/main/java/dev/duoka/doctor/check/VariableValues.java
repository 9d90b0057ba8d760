package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Values of variables held against what the machine has, or against what a library can read. */
final class VariableValues {
  private VariableValues() {}

  static void examine(Map<String, String> set, Examination machine, Findings out) {
    Optional.ofNullable(set.get("CUDA_VISIBLE_DEVICES"))
        .filter(_ -> !machine.gpus().isEmpty())
        .ifPresent(visible -> visible(visible, machine.gpus(), out));
    String handed = set.getOrDefault("NVIDIA_VISIBLE_DEVICES", "all").strip();
    if (handed.equals("void") || handed.equals("none")) {
      out.add(
          machine.gpus().isEmpty() ? Severity.ERROR : Severity.NOTE,
          "NVIDIA_VISIBLE_DEVICES=" + handed,
          "NVIDIA's container runtime hands no GPU into a container that is started with it",
          "docker run --gpus all …   # or -e NVIDIA_VISIBLE_DEVICES=all");
    }
    String threads = set.getOrDefault("OMP_NUM_THREADS", "1").strip();
    if (!threads.matches("[1-9][0-9]*(\\s*,\\s*[1-9][0-9]*)*")) {
      out.warning(
          "OMP_NUM_THREADS=" + threads + " is no number of threads",
          "OpenMP ignores it and takes every core in each rank",
          "unset OMP_NUM_THREADS");
    }
    String allocator = set.getOrDefault("PYTORCH_CUDA_ALLOC_CONF", "");
    for (String setting : allocator.split(",", -1)) {
      if (unreadable(setting.strip())) {
        out.error(
            "PYTORCH_CUDA_ALLOC_CONF=" + allocator + ": it cannot read '" + setting + "'",
            "PyTorch stops at the first memory it takes on a GPU",
            "unset PYTORCH_CUDA_ALLOC_CONF");
      }
    }
  }

  private static boolean unreadable(String setting) {
    int colon = setting.indexOf(':');
    if (colon < 0) {
      return false; // part of a list in brackets, or nothing
    }
    String value = setting.substring(colon + 1).strip();
    return switch (setting.substring(0, colon).strip()) {
      case "max_split_size_mb" -> !value.matches("[0-9]+");
      case "garbage_collection_threshold" -> !value.matches("0?\\.[0-9]+");
      case "expandable_segments" -> !value.matches("True|False");
      default -> false;
    };
  }

  private static void visible(String visible, List<Gpu> gpus, Findings out) {
    List<String> named =
        Stream.of(visible.split(",", -1))
            .map(String::strip)
            .takeWhile(entry -> !entry.equals("-1")) // -1 ends a list on purpose
            .filter(_ -> !visible.isBlank())
            .toList();
    int shown = 0;
    while (shown < named.size() && exists(named.get(shown), gpus)) {
      shown++;
    }
    if (shown == 0) {
      out.error(
          "CUDA_VISIBLE_DEVICES='" + visible + "' hides every GPU" + because(named, shown, gpus),
          "programs compute on the CPU or stop",
          "unset CUDA_VISIBLE_DEVICES");
    } else if (shown < named.size()) {
      String valid =
          named.stream()
              .filter(entry -> exists(entry, gpus))
              .distinct()
              .collect(Collectors.joining(","));
      out.error(
          "CUDA_VISIBLE_DEVICES="
              + visible
              + " shows "
              + shown
              + " of "
              + gpus.size()
              + " GPUs"
              + because(named, shown, gpus),
          "programs see fewer GPUs than the variable names, or stop",
          "export CUDA_VISIBLE_DEVICES=" + valid);
    } else if (shown < gpus.size()) {
      out.note(
          "CUDA_VISIBLE_DEVICES=" + visible + " shows " + shown + " of " + gpus.size() + " GPUs",
          "the others stay idle",
          "unset CUDA_VISIBLE_DEVICES   # to use all");
    }
  }

  private static String because(List<String> named, int shown, List<Gpu> gpus) {
    return shown == named.size()
        ? ""
        : ": CUDA stops at '"
            + named.get(shown)
            + "', which is none of "
            + IntStream.range(0, gpus.size())
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(", "));
  }

  /** Whether CUDA finds a GPU under an entry; one named by its UUID where those are not known. */
  private static boolean exists(String entry, List<Gpu> gpus) {
    if (entry.startsWith("GPU-")) {
      return gpus.stream()
          .anyMatch(gpu -> gpu.uuid().optional().map(id -> id.startsWith(entry)).orElse(true));
    }
    return entry.startsWith("MIG-")
        || (entry.matches("[0-9]{1,6}") && Integer.parseInt(entry) < gpus.size());
  }
}
