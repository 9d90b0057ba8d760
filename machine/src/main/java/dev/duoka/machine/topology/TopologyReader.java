package dev.duoka.machine.topology;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the output of {@code nvidia-smi topo -m} as people paste it: with tabs lost, lines wrapped
 * or cut, prompts, escape codes, quotation marks and other text around.
 *
 * <p>A cell counts when its column is certain and the other half of the matrix does not contradict
 * it. What is damaged is left out and named in {@link Topology#warnings}; nothing is guessed.
 */
public final class TopologyReader {
  /** Text above this is not a paste of a matrix; 1,000 GPUs have about 6 MB. */
  public static final int MAX_CHARACTERS = 32 << 20;

  private static final Pattern GPU_LINE =
      Pattern.compile(
          "\\bGPU (\\d{1,4}): ((?:NVIDIA|Tesla|GeForce|Quadro|TITAN|Graphics)[^(]{0,60})");

  private TopologyReader() {}

  /**
   * Reads a paste.
   *
   * @param source what error messages call it
   * @throws DuokaException of code {@code FORMAT} where there is no matrix with a GPU in it
   */
  public static Topology read(String text, String source) {
    if (text.length() > MAX_CHARACTERS) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read " + source + ": it has " + text.length() + " characters",
          "Pass the output of 'nvidia-smi topo -m' alone.");
    }
    List<String> lines = PasteLines.of(text);
    List<RawMatrix> found = MatrixFinder.find(lines);
    if (!found.stream().allMatch(MatrixFinder::showsPeerAccess)) {
      found.removeIf(MatrixFinder::showsPeerAccess);
    } else {
      found.removeIf(MatrixFinder::hasPeerStates);
    }
    if (found.stream().anyMatch(matrix -> !matrix.rows().isEmpty())) {
      found.removeIf(matrix -> matrix.rows().isEmpty());
    }
    for (RawMatrix matrix : found) {
      refuseAbsurd(matrix, source);
    }
    List<Topology> topologies = new ArrayList<>();
    List<RawMatrix> sources = new ArrayList<>();
    for (RawMatrix matrix : found) {
      MatrixReading.read(matrix, lines)
          .ifPresent(
              topology -> {
                topologies.add(topology);
                sources.add(matrix);
              });
    }
    if (topologies.isEmpty()) {
      throw none(text, source);
    }
    Topology topology = merged(topologies, sources);
    for (String warning : PeerAccess.warnings(lines, topology.gpus().size())) {
      topology = withWarning(topology, warning);
    }
    return named(topology, lines);
  }

  private static DuokaException none(String text, String source) {
    if (text.isBlank()) {
      return new DuokaException(
          ErrorCode.FORMAT,
          "cannot read " + source + ": it is empty",
          "Pass the output of 'nvidia-smi topo -m'.");
    }
    if (PeerAccess.isThere(PasteLines.of(text))) {
      return new DuokaException(
          ErrorCode.FORMAT,
          "cannot read "
              + source
              + ": it holds a matrix of topo -p2p alone, which says who may reach whom, not by"
              + " which way",
          "Pass the output of 'nvidia-smi topo -m'; both may stand in one text.");
    }
    OtherOutput output = OtherOutput.of(text);
    return new DuokaException(
        ErrorCode.FORMAT, "cannot read " + source + ": " + output.what(), output.remedy());
  }

  private static void refuseAbsurd(RawMatrix matrix, String source) {
    long cells = (long) matrix.names().size() * matrix.rows().size();
    if (matrix.names().size() > Columns.MOST_GPUS || matrix.rows().size() > 2 * Columns.MOST_GPUS) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot read " + source + ": a matrix of " + cells + " cells is no machine's",
          "Pass the output of 'nvidia-smi topo -m' of one machine.");
    }
  }

  /** The first matrix, completed by those that do not contradict it. */
  private static Topology merged(List<Topology> topologies, List<RawMatrix> sources) {
    int first = 0;
    while (first < topologies.size() - 1 && sources.get(first).pcieOnly()) {
      first++;
    }
    Topology result = topologies.get(first);
    List<String> differing = new ArrayList<>();
    for (int i = 0; i < topologies.size(); i++) {
      Topology other = topologies.get(i);
      if (i == first) {
        continue;
      }
      if (isPcieViewOf(result, other)) {
        result = withPaths(result, other.links());
      } else if (agree(result, other)) {
        result = result.links().size() >= other.links().size() ? result : other;
      } else {
        differing.add("line " + (sources.get(i).line() + 1));
      }
    }
    if (differing.isEmpty()) {
      return result;
    }
    return withWarning(
        result,
        "The text holds several different matrices. The one of line "
            + (sources.get(first).line() + 1)
            + " is shown; not those of "
            + Listing.of(differing)
            + ".");
  }

  private static boolean agree(Topology a, Topology b) {
    return a.gpus().size() == b.gpus().size()
        && a.nics().stream()
            .map(Nic::label)
            .toList()
            .equals(b.nics().stream().map(Nic::label).toList())
        && consistent(a.links(), b.links())
        && a.gpus().stream()
            .map(Gpu::cpuAffinity)
            .toList()
            .equals(b.gpus().stream().map(Gpu::cpuAffinity).toList());
  }

  private static boolean consistent(Map<Pair, Link> a, Map<Pair, Link> b) {
    return a.entrySet().stream()
        .allMatch(
            entry -> b.getOrDefault(entry.getKey(), entry.getValue()).equals(entry.getValue()));
  }

  /** Whether the second is {@code topo -mp} of the same machine: no NVLink, else the same. */
  private static boolean isPcieViewOf(Topology whole, Topology other) {
    return whole.gpus().size() == other.gpus().size()
        && other.links().values().stream().noneMatch(Link::isNvlink)
        && whole.links().values().stream().anyMatch(Link::isNvlink)
        && whole.links().entrySet().stream()
            .filter(entry -> !entry.getValue().isNvlink())
            .allMatch(
                entry ->
                    other
                        .links()
                        .getOrDefault(entry.getKey(), entry.getValue())
                        .equals(entry.getValue()));
  }

  private static Topology withPaths(Topology topology, SortedMap<Pair, Link> paths) {
    return new Topology(
        topology.origin(),
        topology.gpus(),
        topology.links(),
        paths,
        topology.nics(),
        topology.numaNodes(),
        topology.warnings(),
        topology.pcieOnly());
  }

  private static Topology withWarning(Topology topology, String warning) {
    List<String> warnings = new ArrayList<>(topology.warnings());
    warnings.add(warning);
    return new Topology(
        topology.origin(),
        topology.gpus(),
        topology.links(),
        topology.pciePaths(),
        topology.nics(),
        topology.numaNodes(),
        warnings,
        topology.pcieOnly());
  }

  /** Takes product names from lines such as {@code GPU 0: NVIDIA A100-SXM4-80GB (UUID: …)}. */
  private static Topology named(Topology topology, List<String> lines) {
    Map<Integer, String> names = new TreeMap<>();
    for (String line : lines) {
      Matcher matcher = line.contains("GPU ") ? GPU_LINE.matcher(line) : null;
      if (matcher != null && matcher.find()) {
        int index = Integer.parseInt(matcher.group(1));
        String name = matcher.group(2).strip();
        String before = names.putIfAbsent(index, name);
        if (before != null && !before.equals(name)) {
          return topology; // of two machines, so of neither
        }
      }
    }
    if (names.size() != topology.gpus().size()) {
      return topology;
    }
    List<Gpu> gpus =
        topology.gpus().stream()
            .map(gpu -> Optional.ofNullable(names.get(gpu.index())).map(gpu::named).orElse(gpu))
            .toList();
    return new Topology(
        topology.origin(),
        gpus,
        topology.links(),
        topology.pciePaths(),
        topology.nics(),
        topology.numaNodes(),
        topology.warnings(),
        topology.pcieOnly());
  }
}
