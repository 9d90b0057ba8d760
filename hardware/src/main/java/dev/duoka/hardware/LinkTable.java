package dev.duoka.hardware;

import dev.duoka.formats.json.JsonFields;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** The rates of links: of NVLink by generation, of PCIe by lanes, of ways between two cards. */
public final class LinkTable {
  private static final class Loaded {
    static final LinkTable TABLE = new LinkTable(HardwareFile.content());
  }

  private final List<NvlinkGeneration> generations;
  private final Map<Integer, Double> laneRates = new HashMap<>();
  private final Map<String, PciePath> paths = new HashMap<>();
  private final PciePath throughHost;

  private LinkTable(JsonFields file) {
    generations =
        file.objects("nvlink_generations").stream()
            .map(
                entry ->
                    new NvlinkGeneration(
                        entry.text("name").orElseThrow(),
                        entry.number("gigabytes_per_second"),
                        entry.integer("most_links"),
                        numbers(entry.node("counts").orElseThrow()),
                        entry.texts("compute_capabilities")))
            .toList();
    for (JsonFields entry : file.objects("pcie_lanes")) {
      laneRates.put(entry.integer("generation"), entry.number("gigabytes_per_second_per_lane"));
    }
    for (JsonFields entry : file.objects("pcie_paths")) {
      PciePath path = path(entry);
      entry.texts("kinds").forEach(kind -> paths.put(kind, path));
    }
    throughHost = path(file.object("through_host").orElseThrow());
  }

  /** What comes with the program. */
  public static LinkTable builtIn() {
    return Loaded.TABLE;
  }

  /** All generations of NVLink, oldest first. */
  public List<NvlinkGeneration> generations() {
    return generations;
  }

  /** The generation that cards of a compute capability have; empty where they have no NVLink. */
  public Optional<NvlinkGeneration> generation(String computeCapability) {
    return generations.stream()
        .filter(entry -> entry.computeCapabilities().contains(computeCapability))
        .findFirst();
  }

  /** GB/s each way of a PCIe link; empty for a generation that does not exist. */
  public Optional<Double> pcieGbs(int generation, int lanes) {
    return Optional.ofNullable(laneRates.get(generation)).map(rate -> rate * lanes);
  }

  /** The share of PCIe's rate that a way keeps, by its word in {@code nvidia-smi topo -m}. */
  public Optional<PciePath> path(String topologyWord) {
    return Optional.ofNullable(paths.get(topologyWord));
  }

  /** The share that copies keep between two cards without peer access. */
  public PciePath throughHost() {
    return throughHost;
  }

  private static PciePath path(JsonFields entry) {
    return new PciePath(
        entry.number("low"),
        entry.number("high"),
        entry.number("most_gigabytes_per_second", Double.MAX_VALUE),
        entry.flag("measured", false));
  }

  private static Set<Integer> numbers(JsonNode list) {
    Set<Integer> numbers = new HashSet<>();
    list.forEach(entry -> numbers.add(entry.intValue()));
    return numbers;
  }
}
