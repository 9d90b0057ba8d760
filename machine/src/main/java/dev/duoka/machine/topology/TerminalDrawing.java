package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A topology as text: a picture, the matrix, bandwidths and the placement. */
public final class TerminalDrawing {
  private static final int WIDTH = 96;

  /** More GPUs than this make no picture: the matrix follows alone. */
  private static final int MOST_IN_PICTURE = 32;

  /** More than this fit no screen: the connections are counted. */
  private static final int MOST_IN_MATRIX = 72;

  private final Topology topology;
  private final StringBuilder out = new StringBuilder();

  private TerminalDrawing(Topology topology) {
    this.topology = topology;
  }

  /** The whole text, with a final line break. */
  public static String of(Topology topology) {
    TerminalDrawing drawing = new TerminalDrawing(topology);
    int gpus = topology.gpus().size();
    if (gpus <= MOST_IN_PICTURE) {
      drawing.picture();
    }
    if (gpus > 0 && gpus <= MOST_IN_MATRIX) {
      drawing.domains();
      drawing.matrix();
    } else if (gpus > 0) {
      drawing.counts();
    }
    if (gpus > 1) {
      drawing.bandwidths();
    }
    if (gpus > 0) {
      drawing.placement();
    }
    return drawing.out.toString();
  }

  private void picture() {
    List<Block> boxes = new ArrayList<>();
    for (Regions.Region region : Regions.of(topology).nodes()) {
      List<Block> inside = new ArrayList<>();
      for (SwitchGroup group : region.switches()) {
        List<Block> devices = new ArrayList<>();
        group.gpus().forEach(gpu -> devices.add(gpu(gpu)));
        group.nics().forEach(label -> devices.add(nic(label)));
        inside.add(
            Block.box(
                group.tree() ? "PCIe switches" : "PCIe switch", Block.flow(devices, WIDTH - 12)));
      }
      region.gpus().forEach(gpu -> inside.add(gpu(gpu)));
      region.nics().forEach(nic -> inside.add(nic(nic.label())));
      Block content = inside.isEmpty() ? Block.of("no GPU") : Block.flow(inside, WIDTH - 6);
      boxes.add(Block.box(shortened(region.title(), WIDTH - 8), content));
    }
    Block.flow(boxes, WIDTH).lines().forEach(line -> out.append(line.stripTrailing()).append('\n'));
  }

  private Block gpu(int index) {
    Optional<String> name = topology.gpus().get(index).name();
    return Block.of("[GPU " + index + name.map(n -> " " + product(n)).orElse("") + "]");
  }

  private Block nic(String label) {
    return Block.of(
        "("
            + topology.nics().stream()
                .filter(nic -> nic.label().equals(label))
                .map(Nic::name)
                .findFirst()
                .orElse(label)
            + ")");
  }

  private static String product(String name) {
    return shortened(name.replaceFirst("^NVIDIA ", "").replaceFirst("^GeForce ", ""), 18);
  }

  private static String shortened(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }

  private void domains() {
    List<List<Integer>> domains = topology.nvlinkDomains();
    if (domains.isEmpty()) {
      return;
    }
    out.append("\nNVLink domains (every pair connected)\n");
    int shown = 0;
    for (List<Integer> domain : domains) {
      if (shown++ == 24) {
        out.append("  and ").append(domains.size() - 24).append(" more\n");
        break;
      }
      String labels =
          domain.stream()
              .flatMap(
                  a ->
                      domain.stream()
                          .filter(b -> a < b)
                          .map(b -> topology.link(a, b).map(Link::label).orElse("")))
              .distinct()
              .sorted()
              .collect(Collectors.joining(", "));
      out.append("  GPU ")
          .append(domain.stream().map(String::valueOf).collect(Collectors.joining(" ")))
          .append("   ")
          .append(labels)
          .append('\n');
    }
  }

  private void matrix() {
    int gpus = topology.gpus().size();
    boolean numa = topology.gpus().stream().anyMatch(gpu -> gpu.numaNode().isPresent());
    out.append('\n').append(" ".repeat(7));
    for (int i = 0; i < gpus; i++) {
      out.append(cell("GPU" + i));
    }
    out.append(numa ? "NUMA" : "").append('\n');
    for (int i = 0; i < gpus; i++) {
      out.append(String.format("%-7s", "GPU" + i));
      for (int j = 0; j < gpus; j++) {
        out.append(cell(i == j ? "·" : topology.link(i, j).map(Link::label).orElse("?")));
      }
      if (numa) {
        var node = topology.gpus().get(i).numaNode();
        out.append(node.isPresent() ? Integer.toString(node.getAsInt()) : "?");
      }
      out.append('\n');
    }
    for (Nic nic : topology.nics()) {
      out.append(String.format("%-7s", shortened(nic.label(), 6)));
      for (int i = 0; i < gpus; i++) {
        Link link = nic.links().get(i);
        out.append(cell(link == null ? "?" : link.label()));
      }
      out.append(nic.name().equals(nic.label()) && nic.label().length() < 7 ? "" : nic.name());
      nic.gigabitsPerSecond()
          .ifPresent(rate -> out.append(' ').append((long) rate).append(" Gb/s"));
      out.append('\n');
    }
  }

  private static String cell(String text) {
    return String.format("%-6s", text);
  }

  private void counts() {
    Map<String, Long> counts =
        topology.links().values().stream()
            .collect(Collectors.groupingBy(Link::label, LinkedHashMap::new, Collectors.counting()));
    out.append(topology.gpus().size()).append(" GPUs; pairs by connection:\n");
    counts.forEach(
        (label, count) -> out.append("  ").append(cell(label)).append(count).append('\n'));
    List<List<Integer>> domains = topology.nvlinkDomains();
    if (topology.pcieOnly()) {
      out.append("NVLink domains: not shown (topo -mp)\n");
      return;
    }
    out.append("NVLink domains: ").append(domains.size());
    out.append(domains.isEmpty() ? "\n" : ", the largest of ");
    if (!domains.isEmpty()) {
      out.append(domains.stream().mapToInt(List::size).max().orElse(0)).append(" GPUs\n");
    }
  }

  private void bandwidths() {
    Map<String, Bandwidth> byLabel = new LinkedHashMap<>();
    for (Map.Entry<Pair, Link> entry : topology.links().entrySet()) {
      byLabel.computeIfAbsent(
          entry.getValue().label(),
          _ ->
              Bandwidths.expected(topology, entry.getKey().first(), entry.getKey().second())
                  .orElse(null));
    }
    out.append("\nExpected GB/s in each direction\n");
    byLabel.forEach(
        (label, bandwidth) ->
            out.append("  ")
                .append(cell(label))
                .append(String.format("%-9s", bandwidth.text()))
                .append(bandwidth.assumed() ? " assumed: " : " ")
                .append(bandwidth.basis())
                .append('\n'));
  }

  private void placement() {
    Placement placement = Placement.of(topology);
    out.append("\nPlacement\n");
    boolean many = topology.gpus().size() > MOST_IN_MATRIX;
    if (!many && placement.tensorDegree() > 1) {
      line("tensor", "up to " + placement.tensorDegree() + ": " + placement.tensorGroups());
      line("expert", "inside " + placement.expertGroups());
    }
    if (!many && placement.pipelineStages().size() > 1) {
      line("pipeline", "across " + placement.pipelineStages());
    }
    if (!many) {
      line("ranks", "in the order " + placement.rankOrder());
    }
    placement.reasons().forEach(reason -> out.append("  - ").append(reason).append('\n'));
  }

  private void line(String axis, String text) {
    out.append("  ").append(String.format("%-9s", axis)).append(text).append('\n');
  }
}
