package dev.duoka.machine.topology;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A topology as an SVG picture: NUMA nodes side by side, PCIe switches in them, NVLink above as a
 * bar where a group is fully and evenly connected, as arcs elsewhere. Colours follow the reader's
 * light or dark scheme.
 */
public final class SvgDrawing {
  /** More GPUs than this make no picture. */
  public static final int MOST_GPUS = 64;

  private static final int CARD_WIDTH = 96;
  private static final int CARD_HEIGHT = 54;
  private static final int CHIP_HEIGHT = 24;
  private static final int GAP = 14;
  private static final int MARGIN = 28;
  private static final int BAR = 34;

  /** More arcs than this would cover each other's labels. */
  private static final int MOST_LABELLED = 4;

  private final Topology topology;
  private final SvgCanvas canvas = new SvgCanvas();

  /** The middle of each GPU's card. */
  private final Map<Integer, Integer> middles = new HashMap<>();

  private final List<List<Integer>> bars = new ArrayList<>();
  private final Set<Pair> inBars = new HashSet<>();
  private int cardsTop;
  private int bottom;
  private int right = MARGIN;

  private SvgDrawing(Topology topology) {
    this.topology = topology;
  }

  /**
   * The picture.
   *
   * @throws DuokaException of code {@code USAGE} above {@value #MOST_GPUS} GPUs
   */
  public static String of(Topology topology) {
    if (topology.gpus().size() > MOST_GPUS) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot draw " + topology.gpus().size() + " GPUs",
          "A picture holds at most " + MOST_GPUS + "; use the text or --json.");
    }
    return new SvgDrawing(topology).draw();
  }

  private String draw() {
    chooseBars();
    List<Pair> arcs =
        topology.links().entrySet().stream()
            .filter(entry -> entry.getValue().isNvlink() && !inBars.contains(entry.getKey()))
            .map(Map.Entry::getKey)
            .toList();
    canvas.text(MARGIN, MARGIN + 12, "title", title());
    int arcSpace = arcs.isEmpty() ? 0 : rise(longest(arcs) * (CARD_WIDTH + GAP)) + 4;
    cardsTop = MARGIN + 40 + bars.size() * BAR + arcSpace + 22;
    Regions regions = Regions.of(topology);
    bottom = cardsTop;
    for (Regions.Region region : regions.nodes()) {
      panel(region);
    }
    drawBars();
    boolean labelled = arcs.size() <= MOST_LABELLED;
    arcs.forEach(pair -> arc(pair, labelled));
    if (!labelled) {
      canvas.text(MARGIN, MARGIN + 30, "small", "NVLink: the wider a line, the more links");
    }
    interconnect(regions);
    return canvas.finish(
        Math.max(right + MARGIN - 2 * GAP, 420),
        bottom + MARGIN + (regions.nodes().size() > 1 ? 34 : 0));
  }

  private String title() {
    int gpus = topology.gpus().size();
    String names =
        topology.gpus().stream()
            .flatMap(gpu -> gpu.name().stream())
            .distinct()
            .collect(Collectors.joining(", "));
    return gpus + (gpus == 1 ? " GPU" : " GPUs") + (names.isEmpty() ? "" : " · " + names);
  }

  private int longest(List<Pair> arcs) {
    return arcs.stream().mapToInt(pair -> pair.second() - pair.first()).max().orElse(0);
  }

  /** Groups of three and more whose pairs all have the same label. */
  private void chooseBars() {
    for (List<Integer> group : Placement.of(topology).nvlinkGroups()) {
      Set<String> labels = new TreeSet<>();
      Set<Pair> pairs = new HashSet<>();
      for (int a : group) {
        for (int b : group) {
          if (a < b) {
            labels.add(topology.link(a, b).map(Link::label).orElse(""));
            pairs.add(new Pair(a, b));
          }
        }
      }
      if (group.size() > 2 && labels.size() == 1) {
        bars.add(group);
        inBars.addAll(pairs);
      }
    }
  }

  private void panel(Regions.Region region) {
    int left = right;
    int x = left + GAP;
    int lowest = cardsTop + CARD_HEIGHT;
    int tops = cardsTop;
    for (SwitchGroup group : region.switches()) {
      int width = groupWidth(group);
      int height = CARD_HEIGHT + 34 + rows(group.nics().size(), width) * (CHIP_HEIGHT + 6);
      canvas.box(x, tops - 10, width, height, "switch");
      int cardX = x + 10;
      for (int gpu : group.gpus()) {
        card(gpu, cardX);
        cardX += CARD_WIDTH + GAP;
      }
      chips(group.nics().stream().map(this::nicName).toList(), x + 10, width - 20);
      canvas.text(
          x + 10, tops - 10 + height - 8, "small", group.tree() ? "PCIe switches" : "PCIe switch");
      lowest = Math.max(lowest, tops - 10 + height);
      x += width + GAP;
    }
    for (int gpu : region.gpus()) {
      card(gpu, x);
      x += CARD_WIDTH + GAP;
    }
    int width = Math.max(x - left, 230);
    if (!region.nics().isEmpty()) {
      int chipsTop = lowest + 12;
      int shift = chipsTop - (cardsTop + CARD_HEIGHT + 8);
      List<String> names = region.nics().stream().map(Nic::name).toList();
      chips(names, left + GAP, width - 2 * GAP, shift);
      lowest = chipsTop + rows(names.size(), width - 2 * GAP + 20) * (CHIP_HEIGHT + 6);
    }
    int height = lowest + 34 - (cardsTop - 22);
    canvas.under(left, cardsTop - 22, width, height, "node");
    canvas.text(left + GAP, lowest + 20, "label", clipped(region.title(), width - 2 * GAP));
    bottom = Math.max(bottom, lowest + 34);
    right = left + width + 2 * GAP;
  }

  private int groupWidth(SwitchGroup group) {
    int cards = group.gpus().size() * (CARD_WIDTH + GAP) - GAP;
    return Math.max(cards, CARD_WIDTH) + 20;
  }

  private static int rows(int chips, int width) {
    int perRow = Math.max(1, (width - 20 + 8) / (CARD_WIDTH + 8));
    return (chips + perRow - 1) / perRow;
  }

  private void chips(List<String> names, int left, int width) {
    chips(names, left, width, 0);
  }

  private void chips(List<String> names, int left, int width, int shift) {
    int perRow = Math.max(1, (width + 8) / (CARD_WIDTH + 8));
    for (int i = 0; i < names.size(); i++) {
      int x = left + i % perRow * (CARD_WIDTH + 8);
      int y = cardsTop + CARD_HEIGHT + 8 + shift + i / perRow * (CHIP_HEIGHT + 6);
      canvas.box(x, y, CARD_WIDTH, CHIP_HEIGHT, "nic");
      canvas.centred(x + CARD_WIDTH / 2, y + 16, "chip", clipped(names.get(i), CARD_WIDTH - 8));
    }
  }

  private void card(int gpu, int x) {
    middles.put(gpu, x + CARD_WIDTH / 2);
    canvas.box(x, cardsTop, CARD_WIDTH, CARD_HEIGHT, "gpu");
    String below =
        topology.gpus().get(gpu).name().map(name -> name.replaceFirst("^NVIDIA ", "")).orElse("");
    canvas.centred(
        x + CARD_WIDTH / 2, cardsTop + (below.isEmpty() ? 32 : 24), "gpu-name", "GPU " + gpu);
    canvas.centred(x + CARD_WIDTH / 2, cardsTop + 42, "small", clipped(below, CARD_WIDTH - 8));
  }

  private String nicName(String label) {
    return topology.nics().stream()
        .filter(nic -> nic.label().equals(label))
        .map(Nic::name)
        .findFirst()
        .orElse(label);
  }

  private void drawBars() {
    int y = MARGIN + 34;
    for (List<Integer> group : bars) {
      int from = group.stream().mapToInt(this::middle).min().orElse(0);
      int to = group.stream().mapToInt(this::middle).max().orElse(0);
      for (int gpu : group) {
        canvas.line(middle(gpu), y + 22, middle(gpu), cardsTop, "nvlink", 4);
      }
      canvas.box(from - CARD_WIDTH / 2, y, to - from + CARD_WIDTH, 24, "bar");
      canvas.centred((from + to) / 2, y + 16, "bar-text", nvlinkText(group.get(0), group.get(1)));
      y += BAR;
    }
  }

  private String nvlinkText(int a, int b) {
    boolean over = topology.nvSwitches().stream().anyMatch(it -> it.contains(a) && it.contains(b));
    String name = over ? "NVSwitch · " : "NVLink · ";
    String label = topology.link(a, b).map(Link::label).orElse("NVLink");
    return Bandwidths.expected(topology, a, b)
        .map(bandwidth -> name + label + " · " + bandwidth.text() + " GB/s each way, every pair")
        .orElse(name + label + ", every pair");
  }

  private void arc(Pair pair, boolean labelled) {
    int from = middle(pair.first());
    int to = middle(pair.second());
    int rise = rise(Math.abs(to - from));
    int count = topology.link(pair.first(), pair.second()).map(Link::nvlinks).orElse(1);
    canvas.arc(from, to, cardsTop, rise, Math.min(6, 0.4 + 1.1 * count));
    if (labelled) {
      canvas.centred((from + to) / 2, cardsTop - rise - 6, "arc-text", "NV" + count);
    }
  }

  private static int rise(int distance) {
    return Math.min(120, 14 + distance / 6);
  }

  /** The widest way around: between NUMA nodes. */
  private void interconnect(Regions regions) {
    if (regions.nodes().size() < 2) {
      return;
    }
    boolean sys = topology.links().values().stream().anyMatch(l -> l.kind() == LinkKind.SYS);
    int y = bottom + 18;
    canvas.line(MARGIN + 20, y, right - 2 * GAP - 20, y, "between", 3);
    String text = sys ? "SYS · between NUMA nodes" : "between NUMA nodes";
    canvas.centred((MARGIN + right - 2 * GAP) / 2, y + 18, "small", text);
  }

  private int middle(int gpu) {
    return middles.getOrDefault(gpu, MARGIN);
  }

  private static String clipped(String text, int width) {
    int most = Math.max(4, (int) (width / 6.4));
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }
}
