package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Training in step is as fast as the slowest card, and fits what the smallest holds. */
final class MixedGpusCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "mixed-gpus",
          "Cards of one kind",
          "NVML or nvidia-smi",
          "warning when names or memory differ");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Map<String, List<Integer>> byName = new TreeMap<>();
    for (Gpu gpu : machine.gpus()) {
      gpu.name()
          .optional()
          .ifPresent(name -> byName.computeIfAbsent(name, _ -> new ArrayList<>()).add(gpu.index()));
    }
    if (byName.isEmpty()) {
      out.unseen(
          machine.gpus().isEmpty()
              ? "no GPU is known"
              : "names: " + machine.gpus().getFirst().name().why());
    } else if (byName.size() > 1) {
      List<Integer> most =
          byName.values().stream().max(Comparator.comparingInt(List::size)).orElseThrow();
      out.warning(
          byName.entrySet().stream()
              .map(entry -> entry.getValue().size() + " × " + entry.getKey())
              .collect(Collectors.joining(", ")),
          "the slowest card sets the pace and the smallest the size of a micro-batch",
          "export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES="
              + most.stream().map(String::valueOf).collect(Collectors.joining(",")));
    }
  }
}
