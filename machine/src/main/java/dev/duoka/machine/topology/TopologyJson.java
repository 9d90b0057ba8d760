package dev.duoka.machine.topology;

import dev.duoka.formats.json.Json;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A topology as the JSON object of {@code duoka topo --json}; {@code docs/topology.md} tells the
 * fields.
 */
public final class TopologyJson {
  /** Beyond this many GPUs the figure of every pair would be hundreds of megabytes. */
  private static final int MOST_WITH_BANDWIDTHS = 128;

  private TopologyJson() {}

  /** The whole object. */
  public static ObjectNode of(Topology topology) {
    ObjectNode root = Json.object();
    root.put("gpus", topology.gpus().size());
    lists(root.putArray("nvlink_domains"), topology.nvlinkDomains());
    lists(root.putArray("nvswitches"), topology.nvSwitches());
    root.put("nvlink_shown", !topology.pcieOnly());
    ObjectNode links = root.putObject("links");
    topology.links().forEach((pair, link) -> links.put(pair.toString(), link.label()));
    ObjectNode numa = root.putObject("numa");
    for (Gpu gpu : topology.gpus()) {
      put(numa, Integer.toString(gpu.index()), gpu.numaNode());
    }
    ArrayNode nics = root.putArray("nics");
    topology.nics().forEach(nic -> nics.add(nic.text()));
    strings(root.putArray("warnings"), topology.warnings());
    root.put("origin", topology.origin().name().toLowerCase(Locale.ROOT));
    ArrayNode devices = root.putArray("devices");
    topology.gpus().forEach(gpu -> device(devices.addObject(), gpu));
    ArrayNode nicDevices = root.putArray("nic_devices");
    topology.nics().forEach(nic -> nic(nicDevices.addObject(), nic));
    ObjectNode paths = root.putObject("pcie_paths");
    topology.pciePaths().forEach((pair, link) -> paths.put(pair.toString(), link.label()));
    ArrayNode switches = root.putArray("pcie_switches");
    for (SwitchGroup group : topology.switches()) {
      ObjectNode node = switches.addObject();
      node.put("tree", group.tree());
      numbers(node.putArray("gpus"), group.gpus());
      strings(node.putArray("nics"), group.nics());
    }
    ArrayNode nodes = root.putArray("numa_nodes");
    for (NumaNode numaNode : topology.numaNodes()) {
      ObjectNode node = nodes.addObject();
      node.put("id", numaNode.id());
      put(node, "cpus", numaNode.cpus());
      numaNode.memoryBytes().ifPresent(bytes -> node.put("memory_bytes", bytes));
    }
    bandwidths(root.putObject("bandwidth_gb_per_s"), topology);
    placement(root.putObject("placement"), Placement.of(topology));
    return root;
  }

  private static void device(ObjectNode node, Gpu gpu) {
    node.put("index", gpu.index());
    put(node, "name", gpu.name());
    put(node, "uuid", gpu.uuid());
    put(node, "pci_bus_id", gpu.pciBusId());
    put(node, "compute_capability", gpu.computeCapability());
    put(node, "numa_node", gpu.numaNode());
    put(node, "numa_affinity", gpu.numaAffinity());
    put(node, "cpu_affinity", gpu.cpuAffinity());
    put(node, "memory_numa_node", gpu.memoryNumaNode());
    put(node, "pcie", gpu.pcie().map(PcieSpeed::toString));
    gpu.memoryBytes()
        .ifPresentOrElse(b -> node.put("memory_bytes", b), () -> node.putNull("memory_bytes"));
  }

  private static void nic(ObjectNode node, Nic nic) {
    node.put("label", nic.label());
    put(node, "device", nic.device());
    put(node, "numa_node", nic.numaNode());
    put(node, "pci_bus_id", nic.pciBusId());
    nic.gigabitsPerSecond()
        .ifPresentOrElse(
            rate -> node.put("gigabits_per_second", rate),
            () -> node.putNull("gigabits_per_second"));
    ObjectNode links = node.putObject("links");
    nic.links().forEach((gpu, link) -> links.put(Integer.toString(gpu), link.label()));
    numbers(node.putArray("nearest_gpus"), nearest(nic));
  }

  /** The GPUs that a network card is nearest to. */
  static List<Integer> nearest(Nic nic) {
    Optional<LinkKind> best =
        nic.links().values().stream().map(Link::kind).min(LinkKind::compareTo);
    return nic.links().entrySet().stream()
        .filter(entry -> best.isPresent() && entry.getValue().kind() == best.get())
        .map(Map.Entry::getKey)
        .toList();
  }

  private static void bandwidths(ObjectNode node, Topology topology) {
    if (topology.gpus().size() > MOST_WITH_BANDWIDTHS) {
      return;
    }
    for (Pair pair : topology.links().keySet()) {
      Bandwidths.expected(topology, pair.first(), pair.second())
          .ifPresent(
              bandwidth -> {
                ObjectNode entry = node.putObject(pair.toString());
                entry.put("low", rounded(bandwidth.low()));
                entry.put("high", rounded(bandwidth.high()));
                entry.put("assumed", bandwidth.assumed());
                entry.put("basis", bandwidth.basis());
              });
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 100) / 100.0;
  }

  private static void placement(ObjectNode node, Placement placement) {
    lists(node.putArray("nvlink_groups"), placement.nvlinkGroups());
    node.put("tensor_degree", placement.tensorDegree());
    lists(node.putArray("tensor_groups"), placement.tensorGroups());
    lists(node.putArray("expert_groups"), placement.expertGroups());
    lists(node.putArray("pipeline_stages"), placement.pipelineStages());
    numbers(node.putArray("rank_order"), placement.rankOrder());
    strings(node.putArray("reasons"), placement.reasons());
  }

  private static void put(ObjectNode node, String name, Optional<String> value) {
    node.put(name, value.orElse(null));
  }

  private static void put(ObjectNode node, String name, OptionalInt value) {
    if (value.isPresent()) {
      node.put(name, value.getAsInt());
    } else {
      node.putNull(name);
    }
  }

  private static void strings(ArrayNode array, List<String> values) {
    values.forEach(array::add);
  }

  private static void numbers(ArrayNode array, List<Integer> values) {
    values.forEach(array::add);
  }

  private static void lists(ArrayNode array, List<List<Integer>> lists) {
    lists.forEach(list -> numbers(array.addArray(), list));
  }
}
