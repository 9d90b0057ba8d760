package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Divides a machine's GPUs into NVLink groups and says what belongs inside and across them. */
final class PlacementSearch {
  private final Topology topology;
  private final List<String> reasons = new ArrayList<>();

  PlacementSearch(Topology topology) {
    this.topology = topology;
  }

  Placement place() {
    List<List<Integer>> groups = groups();
    int smallest = groups.stream().mapToInt(List::size).min().orElse(1);
    int tensor = Integer.highestOneBit(smallest);
    while (!divides(groups, tensor)) {
      tensor /= 2;
    }
    List<List<Integer>> tensorGroups = chunks(groups, tensor);
    explain(groups, tensor);
    return new Placement(
        groups,
        tensor,
        tensorGroups,
        groups,
        groups,
        groups.stream().flatMap(List::stream).toList(),
        reasons);
  }

  /** A partition: the largest clique first, of equal ones that with more links, then the lowest. */
  private List<List<Integer>> groups() {
    List<List<Integer>> cliques = new ArrayList<>(topology.nvlinkDomains());
    Set<Integer> left = new TreeSet<>();
    topology.gpus().forEach(gpu -> left.add(gpu.index()));
    List<List<Integer>> groups = new ArrayList<>();
    while (!left.isEmpty()) {
      List<Integer> best = List.of(left.iterator().next());
      long most = 0;
      Set<List<Integer>> shrunk = new LinkedHashSet<>();
      for (List<Integer> clique : cliques) {
        List<Integer> rest = clique.stream().filter(left::contains).toList();
        if (rest.size() > 1) {
          shrunk.add(rest);
          long links = links(rest);
          if (rest.size() > best.size() || (rest.size() == best.size() && links > most)) {
            best = rest;
            most = links;
          }
        }
      }
      cliques = new ArrayList<>(shrunk);
      groups.add(best);
      best.forEach(left::remove);
    }
    groups.sort(Comparator.comparingInt(this::node).thenComparingInt(List::getFirst));
    return List.copyOf(groups);
  }

  private long links(List<Integer> group) {
    long sum = 0;
    for (int i = 0; i < group.size(); i++) {
      for (int j = i + 1; j < group.size(); j++) {
        sum += topology.link(group.get(i), group.get(j)).map(Link::nvlinks).orElse(0);
      }
    }
    return sum;
  }

  private int node(List<Integer> group) {
    return topology.gpus().get(group.getFirst()).numaNode().orElse(Integer.MAX_VALUE);
  }

  private static boolean divides(List<List<Integer>> groups, int degree) {
    return groups.stream().allMatch(group -> group.size() % degree == 0);
  }

  private static List<List<Integer>> chunks(List<List<Integer>> groups, int size) {
    List<List<Integer>> chunks = new ArrayList<>();
    for (List<Integer> group : groups) {
      for (int at = 0; at < group.size(); at += size) {
        chunks.add(group.subList(at, at + size));
      }
    }
    return chunks;
  }

  private void explain(List<List<Integer>> groups, int tensor) {
    int gpus = topology.gpus().size();
    int pairs = gpus * (gpus - 1) / 2;
    if (gpus == 1) {
      reasons.add("One GPU: nothing to place.");
      return;
    }
    if (topology.links().size() < pairs) {
      reasons.add(
          (pairs - topology.links().size())
              + " of "
              + pairs
              + " connections are not known; the groups rest on the known ones alone.");
    }
    if (groups.size() == 1) {
      reasons.add(
          "NVLink connects all "
              + gpus
              + " GPUs: tensor and expert parallelism may take any of them, and a pipeline is only"
              + " needed where layers do not divide otherwise.");
    } else if (groups.size() == gpus) {
      withoutNvlink();
    } else {
      acrossGroups(groups, tensor);
    }
    reasons.add(
        "Data parallelism is outermost: it exchanges gradients once a step and can hide that behind"
            + " the backward pass.");
  }

  private void withoutNvlink() {
    if (topology.pcieOnly()) {
      reasons.add(
          "NVLink is not shown (topo -mp), so whether tensor and expert parallelism have it is not"
              + " known; nvidia-smi topo -m tells.");
      return;
    }
    reasons.add(
        "No NVLink: tensor and expert parallelism would send activations over PCIe in every layer;"
            + " keep both at 1 and use data parallelism with gradient accumulation (ZeRO 1), or"
            + " pipeline stages, which send one activation per micro-batch.");
    List<SwitchGroup> switches =
        topology.switches().stream().filter(group -> group.gpus().size() > 1).toList();
    if (!switches.isEmpty()) {
      reasons.add(
          "Neighbouring pipeline stages belong behind one PCIe switch: "
              + Listing.of(switches.stream().map(SwitchGroup::gpus).toList())
              + ".");
    }
  }

  private void acrossGroups(List<List<Integer>> groups, int tensor) {
    reasons.add(
        "Tensor parallelism of at most "
            + tensor
            + " and expert parallelism stay inside an NVLink group: they exchange activations in"
            + " every layer, forward and backward.");
    Optional<Link> worst =
        topology.links().values().stream()
            .filter(link -> !link.isNvlink())
            .max(Comparator.comparing(Link::kind));
    String way = worst.map(link -> " (" + link.kind() + " at worst)").orElse("");
    reasons.add(
        "Between the "
            + groups.size()
            + " groups not every pair has NVLink"
            + way
            + ": pipeline stages go there, or replicas where a model fits into one group.");
  }
}
