package dev.duoka.machine.topology;

import dev.duoka.machine.topology.RawMatrix.Title;
import dev.duoka.machine.topology.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The affinity values of a GPU's row.
 *
 * @param cpus the CPUs
 * @param numa the NUMA nodes
 * @param gpuNumaId the NUMA node of the GPU's own memory
 * @param lost whether there are values that cannot be given a column
 */
record Affinity(
    Optional<String> cpus, Optional<String> numa, Optional<String> gpuNumaId, boolean lost) {

  static final Affinity NONE =
      new Affinity(Optional.empty(), Optional.empty(), Optional.empty(), false);
  private static final Affinity LOST =
      new Affinity(Optional.empty(), Optional.empty(), Optional.empty(), true);

  /** The values of a row whose cells are whole. */
  static Affinity of(RawRow row, RawMatrix matrix) {
    List<Title> titles = matrix.titles();
    Affinity byTabs = byTabs(row, titles);
    if (byTabs != null) {
      return byTabs;
    }
    List<Token> values = row.affinity();
    if (values.isEmpty()) {
      return NONE;
    }
    boolean last = values.getLast().end() >= row.lastLine().length();
    if (row.tornNumbers() || isOpen(values.getLast().text())) {
      return LOST;
    }
    if (bareAmongRanges(values.getFirst(), titles, matrix)) {
      return aligned(values, row, matrix)
          .filter(found -> found.getFirst() != Title.CPU_AFFINITY)
          .map(found -> named(found, values.stream().map(Token::text).toList(), false))
          .orElse(LOST);
    }
    if (!titles.isEmpty() && values.size() == titles.size()) {
      boolean cutTitle = (matrix.headerCut() || endsInCpus(titles, row, matrix)) && last;
      return named(titles, values.stream().map(Token::text).toList(), cutTitle);
    }
    if (row.atPasteEnd() && values.getLast().is(Kind.NUMBERS)) {
      return LOST; // the list may go on
    }
    boolean fused = values.stream().anyMatch(Token::fused);
    if (fused || (!titles.isEmpty() && values.size() > titles.size())) {
      return LOST;
    }
    return byShape(values, titles, row, matrix);
  }

  private static boolean isOpen(String value) {
    return value.endsWith(",") || value.endsWith("-");
  }

  /** Where other rows list CPUs as ranges, a lone number first is of another column. */
  private static boolean bareAmongRanges(Token first, List<Title> titles, RawMatrix matrix) {
    return !titles.isEmpty()
        && titles.getFirst() == Title.CPU_AFFINITY
        && isNumber(first.text())
        && matrix.rows().stream()
            .flatMap(row -> row.tokens().stream())
            .anyMatch(token -> token.is(Kind.NUMBERS) && !isNumber(token.text()));
  }

  /** Whether a paste ends in a list of CPUs that no other row confirms, so it may go on. */
  private static boolean endsInCpus(List<Title> titles, RawRow row, RawMatrix matrix) {
    return titles.getLast() == Title.CPU_AFFINITY
        && row.atPasteEnd()
        && matrix.rows().stream()
            .filter(other -> other != row && !other.affinity().isEmpty())
            .noneMatch(
                other -> other.affinity().getLast().text().equals(row.affinity().getLast().text()));
  }

  /** Tabs show empty columns. The driver puts two before the GPU's NUMA id. */
  private static @Nullable Affinity byTabs(RawRow row, List<Title> titles) {
    List<Token> cells = row.cells();
    if (row.wrapped() || titles.size() < 2 || cells.isEmpty()) {
      return null;
    }
    String rest = row.lastLine().substring(cells.getLast().end());
    List<String> fields = new ArrayList<>(List.of(rest.split("\t", -1)));
    if (!fields.getFirst().isBlank()) {
      return null;
    }
    fields.removeFirst();
    if (titles.size() == 3 && fields.size() >= 4 && fields.get(2).isBlank()) {
      fields.remove(2);
    }
    while (fields.size() > titles.size() && fields.getLast().isBlank()) {
      fields.removeLast();
    }
    boolean plain =
        fields.size() == titles.size()
            && fields.stream().allMatch(field -> !field.strip().contains(" "));
    return plain ? named(titles, fields.stream().map(String::strip).toList(), false) : null;
  }

  private static Affinity named(List<Title> titles, List<String> values, boolean dropLast) {
    String[] named = {"", "", ""};
    for (int i = 0; i < values.size() - (dropLast ? 1 : 0); i++) {
      named[titles.get(i).ordinal()] = values.get(i);
    }
    boolean odd = isOdd(named[0]) || isOdd(named[1]) || isOdd(named[2]);
    return odd ? LOST : new Affinity(value(named[0]), value(named[1]), value(named[2]), dropLast);
  }

  private static boolean isOdd(String value) {
    return !value.isEmpty() && !value.equals("N/A") && !TokenScanner.single(value, 0).inAffinity();
  }

  private static Optional<String> value(String text) {
    return text.isEmpty() || text.equals("N/A") ? Optional.empty() : Optional.of(text);
  }

  /** Fewer values than columns, or columns without a title. */
  private static Affinity byShape(
      List<Token> values, List<Title> titles, RawRow row, RawMatrix matrix) {
    Token first = values.getFirst();
    boolean atEnd = values.getLast().end() >= row.lastLine().length();
    boolean range = first.is(Kind.NUMBERS) && first.text().matches(".*[-,].*");
    if (range && values.size() >= 2 && (titles.isEmpty() || titles.size() == 3)) {
      // CPUs, then NUMA nodes; the third column is missing
      boolean suspect = !titles.isEmpty() && atEnd && values.get(1).is(Kind.NUMBERS);
      return new Affinity(
          value(first.text()),
          suspect ? Optional.empty() : value(values.get(1).text()),
          Optional.empty(),
          suspect);
    }
    Optional<List<Title>> aligned = aligned(values, row, matrix);
    if (aligned.isPresent()) {
      return named(aligned.get(), values.stream().map(Token::text).toList(), false);
    }
    boolean nothing = values.stream().allMatch(value -> value.is(Kind.NOT_AVAILABLE));
    if (range && !atEnd) {
      return new Affinity(value(first.text()), Optional.empty(), Optional.empty(), false);
    }
    return nothing ? NONE : LOST;
  }

  /** The titles above the values, where header and row are blank-aligned beyond doubt. */
  private static Optional<List<Title>> aligned(List<Token> values, RawRow row, RawMatrix matrix) {
    List<Token> names = matrix.headerTokens();
    List<Token> cells = row.cells();
    String header = matrix.headerText();
    if (row.wrapped()
        || header.contains("\t")
        || row.lastLine().contains("\t")
        || names.size() != cells.size()) {
      return Optional.empty();
    }
    for (int i = 0; i < cells.size(); i++) {
      if (Math.abs(names.get(i).start() - cells.get(i).start()) > 1) {
        return Optional.empty();
      }
    }
    int[] starts = {
      header.indexOf("CPU Aff"), header.indexOf("NUMA Aff"), header.indexOf("GPU NUMA")
    };
    List<Title> found = new ArrayList<>();
    for (Token value : values) {
      Optional<Title> title = Optional.empty();
      for (Title candidate : matrix.titles()) {
        int start = starts[candidate.ordinal()];
        if (start >= 0 && value.start() >= start - 1 && value.start() < start + 8) {
          title = Optional.of(candidate);
        }
      }
      if (title.isEmpty() || found.contains(title.get())) {
        return Optional.empty();
      }
      found.add(title.get());
    }
    return Optional.of(found);
  }

  /**
   * The one node that a NUMA affinity means. On Grace machines the list holds the CPU's node and a
   * range of nodes for GPU memory, as in {@code 0,2-17}; a bare range or two equal candidates have
   * no one node.
   *
   * @param memoryNodes the NUMA nodes that are GPU memory
   */
  static OptionalInt node(String numa, Set<Integer> memoryNodes) {
    if (isNumber(numa)) {
      return OptionalInt.of(Integer.parseInt(numa));
    }
    String[] parts = numa.split(",", -1);
    Set<Integer> left = new HashSet<>();
    for (String part : parts) {
      if (isNumber(part)) {
        left.add(Integer.parseInt(part));
      }
    }
    if (parts.length == 2
        && isNumber(parts[0])
        && parts[1].matches("[0-9]{1,5}-[0-9]{1,5}")
        && Integer.parseInt(parts[0]) < Integer.parseInt(parts[1].split("-", 2)[0])) {
      return OptionalInt.of(Integer.parseInt(parts[0]));
    }
    OptionalInt host = beforeMemory(parts, memoryNodes);
    if (host.isPresent()) {
      return host;
    }
    left.removeAll(memoryNodes);
    boolean plain = parts.length > 1 && List.of(parts).stream().allMatch(Affinity::isNumber);
    return plain && left.size() == 1 ? OptionalInt.of(left.iterator().next()) : OptionalInt.empty();
  }

  /** The firmware numbers nodes with CPUs before those that are GPU memory: the one before them. */
  private static OptionalInt beforeMemory(String[] parts, Set<Integer> memoryNodes) {
    OptionalInt first = memoryNodes.stream().mapToInt(Integer::intValue).min();
    int count = 0;
    int host = -1;
    for (String part : parts) {
      String[] ends = part.split("-", 2);
      if (!isNumber(ends[0]) || !isNumber(ends[ends.length - 1])) {
        return OptionalInt.empty();
      }
      int from = Integer.parseInt(ends[0]);
      int to = Integer.parseInt(ends[ends.length - 1]);
      if (first.isPresent() && from < first.getAsInt()) {
        count += Math.min(to, first.getAsInt() - 1) - from + 1;
        host = from;
      }
    }
    return count == 1 ? OptionalInt.of(host) : OptionalInt.empty();
  }

  static boolean isNumber(String text) {
    return text.matches("[0-9]{1,6}");
  }
}
