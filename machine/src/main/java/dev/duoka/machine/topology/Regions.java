package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A machine divided as the drawings show it: NUMA nodes, in them PCIe switches and devices that are
 * behind none.
 *
 * @param nodes in order; devices whose node is not known come last
 */
record Regions(List<Region> nodes) {
  /** A NUMA node with what belongs to it. */
  record Region(
      OptionalInt node,
      Optional<String> cpus,
      List<SwitchGroup> switches,
      List<Integer> gpus,
      List<Nic> nics) {
    String title() {
      String name = node.isPresent() ? "NUMA node " + node.getAsInt() : "NUMA node not known";
      return cpus.map(list -> name + " · CPUs " + list).orElse(name);
    }

    /** Whether no device is here. */
    boolean isBare() {
      return switches.isEmpty() && gpus.isEmpty() && nics.isEmpty();
    }

    /** All GPUs, those behind switches first. */
    List<Integer> allGpus() {
      List<Integer> all = new ArrayList<>();
      switches.forEach(group -> all.addAll(group.gpus()));
      all.addAll(gpus);
      return all;
    }
  }

  Regions {
    nodes = List.copyOf(nodes);
  }

  static Regions of(Topology topology) {
    SortedMap<Integer, List<SwitchGroup>> switches = new TreeMap<>();
    SortedMap<Integer, List<Integer>> gpus = new TreeMap<>();
    SortedMap<Integer, List<Nic>> nics = new TreeMap<>();
    Set<Integer> placed = new LinkedHashSet<>();
    Set<String> placedNics = new LinkedHashSet<>();
    for (SwitchGroup group : topology.switches()) {
      if (!group.gpus().isEmpty()) {
        int node = key(topology.gpus().get(group.gpus().getFirst()).numaNode());
        switches.computeIfAbsent(node, _ -> new ArrayList<>()).add(group);
        placed.addAll(group.gpus());
        placedNics.addAll(group.nics());
      }
    }
    for (Gpu gpu : topology.gpus()) {
      if (!placed.contains(gpu.index())) {
        gpus.computeIfAbsent(key(gpu.numaNode()), _ -> new ArrayList<>()).add(gpu.index());
      }
    }
    for (Nic nic : topology.nics()) {
      if (!placedNics.contains(nic.label())) {
        nics.computeIfAbsent(key(node(nic, topology)), _ -> new ArrayList<>()).add(nic);
      }
    }
    return new Regions(regions(topology, switches, gpus, nics));
  }

  private static List<Region> regions(
      Topology topology,
      SortedMap<Integer, List<SwitchGroup>> switches,
      SortedMap<Integer, List<Integer>> gpus,
      SortedMap<Integer, List<Nic>> nics) {
    Map<Integer, Optional<String>> cpus = new TreeMap<>();
    topology.numaNodes().forEach(node -> cpus.put(node.id(), node.cpus()));
    Set<Integer> keys = new LinkedHashSet<>(cpus.keySet());
    keys.addAll(switches.keySet());
    keys.addAll(gpus.keySet());
    keys.addAll(nics.keySet());
    return keys.stream()
        .sorted(Comparator.naturalOrder())
        .map(
            key ->
                new Region(
                    key == Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of(key),
                    cpus.getOrDefault(key, Optional.empty()),
                    switches.getOrDefault(key, List.of()),
                    gpus.getOrDefault(key, List.of()),
                    nics.getOrDefault(key, List.of())))
        .filter(region -> !region.isBare() || region.cpus().isPresent())
        .toList();
  }

  private static int key(OptionalInt node) {
    return node.orElse(Integer.MAX_VALUE);
  }

  /** The node of the GPU nearest to a network card, if they share one. */
  private static OptionalInt node(Nic nic, Topology topology) {
    if (nic.numaNode().isPresent()) {
      return nic.numaNode();
    }
    return nic.links().entrySet().stream()
        .filter(entry -> entry.getValue().kind() != LinkKind.SYS)
        .min(Map.Entry.comparingByValue(Comparator.comparing(Link::kind)))
        .map(entry -> topology.gpus().get(entry.getKey()).numaNode())
        .orElse(OptionalInt.empty());
  }
}
