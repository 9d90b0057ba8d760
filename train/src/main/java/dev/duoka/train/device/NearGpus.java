package dev.duoka.train.device;

import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Placement;
import dev.duoka.machine.topology.Topology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which of CUDA's GPUs the ranks take so that neighbours are near: the groups of the topology,
 * whose numbers are those of {@code nvidia-smi}, told from CUDA's by the place on the PCI bus.
 */
final class NearGpus {
  private NearGpus() {}

  /**
   * CUDA's numbers of the GPUs for the ranks, in order; empty where the topology does not know all
   * GPUs that this process sees.
   *
   * @param ranks no more than GPUs
   * @param pciBusIds of the GPUs that this process sees, in CUDA's order
   */
  static Optional<List<Integer>> of(int ranks, List<String> pciBusIds, Topology topology) {
    Map<String, Integer> cuda = new HashMap<>();
    for (int i = 0; i < pciBusIds.size(); i++) {
      cuda.put(normal(pciBusIds.get(i)), i);
    }
    Map<Integer, Integer> cudaOf = new HashMap<>();
    for (Gpu gpu : topology.gpus()) {
      gpu.pciBusId()
          .map(id -> cuda.get(normal(id)))
          .ifPresent(number -> cudaOf.put(gpu.index(), number));
    }
    Set<Integer> known = new HashSet<>(cudaOf.values());
    if (known.size() < pciBusIds.size()) {
      return Optional.empty();
    }
    // Of the whole machine's groups only what this process sees counts.
    List<List<Integer>> groups = new ArrayList<>();
    for (List<Integer> group : Placement.of(topology).nvlinkGroups()) {
      List<Integer> seen = group.stream().filter(cudaOf::containsKey).map(cudaOf::get).toList();
      if (!seen.isEmpty()) {
        groups.add(seen);
      }
    }
    return Optional.of(Placement.gpusFor(ranks, groups));
  }

  /** Domains are written with four or eight digits. */
  private static String normal(String pciBusId) {
    String lower = pciBusId.toLowerCase(Locale.ROOT);
    int colon = lower.indexOf(':');
    String domain = lower.substring(0, Math.max(colon, 0));
    return domain.replaceFirst("^0+(?=.)", "") + lower.substring(Math.max(colon, 0));
  }
}
