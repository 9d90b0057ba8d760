package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Groups devices behind common switches. Two GPUs belong together when their PCIe path says so, or,
 * where NVLink hides that path, when both are behind a switch with the same network card.
 */
final class SwitchGroups {
  private final Topology topology;
  private final int[] parent;

  private SwitchGroups(Topology topology) {
    this.topology = topology;
    this.parent = new int[topology.gpus().size() + topology.nics().size()];
    for (int i = 0; i < parent.length; i++) {
      parent[i] = i;
    }
  }

  static List<SwitchGroup> of(Topology topology) {
    return new SwitchGroups(topology).find();
  }

  private List<SwitchGroup> find() {
    boolean[] tree = new boolean[parent.length];
    topology.links().keySet().forEach(pair -> join(pair.first(), pair.second(), path(pair)));
    int gpus = topology.gpus().size();
    for (int nic = 0; nic < topology.nics().size(); nic++) {
      int node = gpus + nic;
      topology.nics().get(nic).links().forEach((gpu, link) -> join(gpu, node, Optional.of(link)));
    }
    topology.links().keySet().forEach(pair -> markTree(tree, pair.first(), path(pair)));
    for (Nic nic : topology.nics()) {
      nic.links().forEach((gpu, link) -> markTree(tree, gpu, Optional.of(link)));
    }
    return groups(tree);
  }

  private List<SwitchGroup> groups(boolean[] tree) {
    Map<Integer, List<Integer>> members = new LinkedHashMap<>();
    for (int i = 0; i < parent.length; i++) {
      members.computeIfAbsent(root(i), _ -> new ArrayList<>()).add(i);
    }
    List<SwitchGroup> groups = new ArrayList<>();
    int gpus = topology.gpus().size();
    members.forEach(
        (root, nodes) -> {
          if (nodes.size() > 1) {
            groups.add(
                new SwitchGroup(
                    tree[root],
                    nodes.stream().filter(node -> node < gpus).toList(),
                    nodes.stream()
                        .filter(node -> node >= gpus)
                        .map(node -> topology.nics().get(node - gpus).label())
                        .toList()));
          }
        });
    return List.copyOf(groups);
  }

  private Optional<Link> path(Pair pair) {
    return topology.pciePath(pair.first(), pair.second());
  }

  private void markTree(boolean[] tree, int node, Optional<Link> link) {
    if (link.isPresent() && link.get().kind() == LinkKind.PXB) {
      tree[root(node)] = true;
    }
  }

  private void join(int a, int b, Optional<Link> link) {
    if (link.isPresent() && link.get().kind().behindSwitch()) {
      parent[Math.max(root(a), root(b))] = Math.min(root(a), root(b));
    }
  }

  private int root(int node) {
    int at = node;
    while (parent[at] != at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  }
}
