package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Which device each column of a pasted matrix is: GPUs by number, then network cards. A header may
 * lack names, so the rows' labels and lengths are heard too.
 *
 * @param gpus how many GPUs
 * @param nics labels of the network cards, in order
 * @param closed whether the header shows where the devices end
 */
record Columns(int gpus, List<String> nics, boolean closed) {
  /** More GPUs than this in one machine are damage or a joke. */
  static final int MOST_GPUS = 4096;

  Columns {
    nics = List.copyOf(nics);
  }

  static Columns of(RawMatrix matrix) {
    TreeSet<Integer> headerGpus = new TreeSet<>();
    List<String> headerNics = new ArrayList<>();
    for (String name : matrix.names()) {
      addTo(headerGpus, headerNics, name);
    }
    TreeSet<Integer> allGpus = new TreeSet<>(headerGpus);
    List<String> rowNics = new ArrayList<>();
    for (RawRow row : matrix.rows()) {
      if (row.label() != null && row.tokens().stream().anyMatch(Token::inMatrix)) {
        addTo(allGpus, rowNics, row.label());
      }
    }
    boolean closed = !matrix.titles().isEmpty();
    boolean tornName = !closed && !headerNics.isEmpty() && !rowNics.contains(headerNics.getLast());
    if (tornName || (rowNics.size() == headerNics.size() && !rowNics.containsAll(headerNics))) {
      headerNics = tornName ? headerNics.subList(0, headerNics.size() - 1) : rowNics;
    }
    int byHeader = count(headerGpus);
    int byAll = count(allGpus);
    int wanted = commonLength(matrix);
    if (byHeader > 0 && closed && byHeader + headerNics.size() == wanted) {
      return new Columns(byHeader, headerNics, true);
    }
    boolean rowsKnowMore = rowNics.containsAll(headerNics);
    if (byAll + headerNics.size() == wanted) {
      return new Columns(byAll, headerNics, true);
    }
    if (rowsKnowMore && byAll + rowNics.size() == wanted) {
      return new Columns(byAll, rowNics, true);
    }
    if (byHeader > 0 && closed) {
      return new Columns(byHeader, headerNics, true);
    }
    return new Columns(byAll, rowsKnowMore ? rowNics : headerNics, false);
  }

  private static void addTo(TreeSet<Integer> gpus, List<String> nics, String name) {
    if (name.startsWith("GPU") && name.length() > 3 && Character.isDigit(name.charAt(3))) {
      gpus.add(Integer.parseInt(name.substring(3)));
    } else if (!nics.contains(name)) {
      nics.add(name);
    }
  }

  /** GPUs are numbered without gaps; a number far beyond the others is a damaged label. */
  private static int count(TreeSet<Integer> indices) {
    TreeSet<Integer> left = new TreeSet<>(indices);
    while (!left.isEmpty() && left.last() + 1 > Math.max(16, 2 * left.size())) {
      left.pollLast();
    }
    return left.isEmpty() ? 0 : left.last() + 1;
  }

  /** The number of cells that most rows of GPUs have which end visibly. */
  private static int commonLength(RawMatrix matrix) {
    Map<Integer, Integer> lengths = new HashMap<>();
    for (RawRow row : matrix.rows()) {
      boolean ends = !row.affinity().isEmpty() || matrix.titleTokens().isEmpty();
      if (row.label() != null && row.label().startsWith("GPU") && ends) {
        lengths.merge(row.cells().size(), 1, Integer::sum);
      }
    }
    int best = -1;
    int most = 0;
    for (var entry : lengths.entrySet()) {
      if (entry.getValue() > most || (entry.getValue() == most && entry.getKey() > best)) {
        best = entry.getKey();
        most = entry.getValue();
      }
    }
    return best;
  }

  int size() {
    return gpus + nics.size();
  }

  /** The column of a device; −1 for one that has none. */
  int column(String name) {
    if (name.startsWith("GPU")) {
      int index = Integer.parseInt(name.substring(3));
      return index < gpus ? index : -1;
    }
    int nic = nics.indexOf(name);
    return nic < 0 ? -1 : gpus + nic;
  }

  String name(int column) {
    return column < gpus ? "GPU" + column : nics.get(column - gpus);
  }
}
