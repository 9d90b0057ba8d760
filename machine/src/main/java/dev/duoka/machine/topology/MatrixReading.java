package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes a topology of one pasted matrix: what is certain, and warnings for the rest. */
final class MatrixReading {
  private final RawMatrix matrix;
  private final Columns columns;
  private final CutLines cutLines;
  private final CellTable table;
  private final Affinity[] affinities;
  private final List<String> warnings = new ArrayList<>();
  private final List<String> cut = new ArrayList<>();
  private final List<String> misaligned = new ArrayList<>();
  private final List<String> lostAffinity = new ArrayList<>();

  /** GPUs of which the driver itself says that it does not know. */
  private final Set<Integer> toldNothing = new HashSet<>();

  private MatrixReading(RawMatrix matrix, List<String> lines) {
    this.matrix = matrix;
    this.columns = Columns.of(matrix);
    this.cutLines = new CutLines(matrix, columns, lines);
    this.table = new CellTable(columns);
    this.affinities = new Affinity[columns.gpus()];
    Arrays.fill(affinities, Affinity.NONE);
  }

  /** The topology; empty where the matrix has no GPU. */
  static Optional<Topology> read(RawMatrix matrix, List<String> lines) {
    MatrixReading reading = new MatrixReading(matrix, lines);
    return reading.columns.gpus() == 0 ? Optional.empty() : Optional.of(reading.read());
  }

  private Topology read() {
    if (!matrix.header()) {
      warnings.add("The line with the names of the columns is missing; the rows' labels stand in.");
    } else if (!columns.closed() || matrix.headerCut()) {
      warnings.add("The line with the names of the columns is cut: there may be more devices.");
    }
    List<RawRow> unlabelled = new ArrayList<>();
    for (RawRow row : matrix.rows()) {
      String label = row.label();
      if (label == null) {
        unlabelled.add(row);
      } else {
        place(row, label);
      }
    }
    unlabelled.forEach(this::placeUnlabelled);
    SortedMap<Pair, Link> links = table.gpuLinks();
    warnOfRows();
    warnOfPairs();
    List<Nic> nics = nics();
    List<Gpu> gpus = gpus();
    if (matrix.pcieOnly()) {
      warnings.add(
          "The matrix was made with topo -mp, which leaves NVLink out: NVLinks are not shown, so"
              + " whether there are any is not known. nvidia-smi topo -m shows them.");
    }
    return new Topology(
        Topology.Origin.TEXT,
        gpus,
        links,
        new TreeMap<>(),
        nics,
        numaNodes(gpus),
        warnings,
        matrix.pcieOnly());
  }

  private void place(RawRow row, String label) {
    int device = columns.column(label);
    if (device < 0) {
      warnings.add("The row " + label + " belongs to no column; it is left out.");
      return;
    }
    RowCells cells = RowCells.place(row, columns, device, cutLines.contains(row));
    if (!table.enter(device, cells)) {
      warnings.add("Two rows are labelled " + label + " and differ; both are left out.");
      return;
    }
    switch (cells.condition()) {
      case WHOLE -> {
        if (device < columns.gpus()) {
          Affinity affinity = Affinity.of(row, matrix);
          affinities[device] = affinity;
          if (row.affinity().stream().anyMatch(token -> token.is(Token.Kind.NOT_AVAILABLE))) {
            toldNothing.add(device);
          }
          if (affinity.lost()) {
            lostAffinity.add(label);
          }
        }
      }
      case CUT -> cut.add(label);
      case MISALIGNED ->
          misaligned.add(label + " (" + row.cells().size() + " of " + columns.size() + " cells)");
    }
  }

  private void placeUnlabelled(RawRow row) {
    List<Token> cells = row.cells();
    int self = 0;
    while (self < cells.size() && !cells.get(self).is(Token.Kind.SELF)) {
      self++;
    }
    if (cells.size() == columns.size() && self < columns.size() && !table.has(self)) {
      warnings.add(
          "A row without label is taken as " + columns.name(self) + "'s by the place of its X.");
      place(row, columns.name(self));
    } else {
      warnings.add("A row without label in line " + (row.line() + 1) + " is left out.");
    }
  }

  private void warnOfRows() {
    List<String> missing = new ArrayList<>();
    for (int device = 0; device < columns.size(); device++) {
      if (!table.has(device)) {
        missing.add(columns.name(device));
      }
    }
    warn(missing, "Rows are missing: ");
    warn(cut, "Rows are cut at their end: ");
    warn(
        misaligned,
        "Rows have another number of cells than there are columns, or a misplaced X, so that only"
            + " cells counted from the X are used: ");
    warn(lostAffinity, "Affinity values that belong to no certain column are left out: ");
  }

  private void warnOfPairs() {
    warn(
        table.oneSided(),
        "Links that only one half of the matrix shows, the other being missing or unreadable: ");
    warn(table.contradictions(), "The halves of the matrix contradict each other; left out: ");
    warn(table.unknown(), "Links that cannot be read: ");
  }

  private void warn(List<String> items, String sentence) {
    if (!items.isEmpty()) {
      warnings.add(sentence + Listing.of(items) + ".");
    }
  }

  private List<Nic> nics() {
    List<Nic> nics = new ArrayList<>();
    List<String> unnamed = new ArrayList<>();
    for (int i = 0; i < columns.nics().size(); i++) {
      String label = columns.nics().get(i);
      boolean numbered = label.matches("NIC[0-9]+");
      String device = numbered ? device(label) : label;
      if (device == null) {
        unnamed.add(label);
      }
      nics.add(
          new Nic(
              label,
              Optional.ofNullable(device),
              table.nicLinks(columns.gpus() + i, warnings),
              OptionalInt.empty(),
              Optional.empty(),
              OptionalDouble.empty()));
    }
    warn(unnamed, "No legend names the network cards of these columns: ");
    return nics;
  }

  private @Nullable String device(String label) {
    return matrix.legendConflicts().contains(label) ? null : matrix.legend().get(label);
  }

  private List<Gpu> gpus() {
    Set<Integer> memoryNodes = new HashSet<>();
    for (Affinity affinity : affinities) {
      affinity
          .gpuNumaId()
          .filter(Affinity::isNumber)
          .ifPresent(id -> memoryNodes.add(Integer.parseInt(id)));
    }
    List<Gpu> gpus = new ArrayList<>();
    List<String> ambiguous = new ArrayList<>();
    for (int i = 0; i < affinities.length; i++) {
      Affinity affinity = affinities[i];
      OptionalInt node =
          affinity.numa().map(numa -> Affinity.node(numa, memoryNodes)).orElse(OptionalInt.empty());
      if (affinity.numa().isPresent() && node.isEmpty()) {
        ambiguous.add("GPU" + i + " " + affinity.numa().get());
      }
      OptionalInt memoryNode =
          affinity
              .gpuNumaId()
              .filter(Affinity::isNumber)
              .map(id -> OptionalInt.of(Integer.parseInt(id)))
              .orElse(OptionalInt.empty());
      gpus.add(Gpu.numbered(i).withAffinity(node, affinity.numa(), affinity.cpus(), memoryNode));
    }
    warn(ambiguous, "NUMA affinities that are not one node, so the node is not known: ");
    return gpus.stream().map(gpu -> besideOthers(gpu, gpus)).toList();
  }

  /** A GPU whose NUMA column is lost has the node of those with the same list of CPUs. */
  private Gpu besideOthers(Gpu gpu, List<Gpu> gpus) {
    if (gpu.numaNode().isPresent()
        || toldNothing.contains(gpu.index())
        || gpu.numaAffinity().isPresent()
        || gpu.cpuAffinity().isEmpty()) {
      return gpu;
    }
    Set<OptionalInt> nodes =
        gpus.stream()
            .filter(other -> other.index() != gpu.index())
            .filter(other -> other.cpuAffinity().equals(gpu.cpuAffinity()))
            .map(Gpu::numaNode)
            .filter(OptionalInt::isPresent)
            .collect(Collectors.toSet());
    return nodes.size() == 1
        ? gpu.withAffinity(
            nodes.iterator().next(), Optional.empty(), gpu.cpuAffinity(), gpu.memoryNumaNode())
        : gpu;
  }

  private List<NumaNode> numaNodes(List<Gpu> gpus) {
    SortedMap<Integer, Set<String>> cpus = new TreeMap<>();
    for (Gpu gpu : gpus) {
      if (gpu.numaNode().isPresent()) {
        Set<String> of = cpus.computeIfAbsent(gpu.numaNode().getAsInt(), _ -> new HashSet<>());
        gpu.cpuAffinity().ifPresent(of::add);
      }
    }
    Map<Integer, NumaNode> nodes = new HashMap<>();
    cpus.forEach(
        (id, lists) ->
            nodes.put(
                id,
                new NumaNode(
                    id,
                    lists.size() == 1 ? Optional.of(lists.iterator().next()) : Optional.empty(),
                    Optional.empty())));
    return cpus.keySet().stream().map(nodes::get).toList();
  }
}
