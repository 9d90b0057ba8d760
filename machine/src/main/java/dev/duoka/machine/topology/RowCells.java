package dev.duoka.machine.topology;

import dev.duoka.machine.topology.Token.Kind;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts a row's cells into columns. The diagonal's {@code X} is the anchor: the cells before it are
 * certain when exactly as many stand there as there are columns before it, those behind it when
 * they reach to the last column, or, where the line was cut, as far as they go.
 */
final class RowCells {
  /** How whole a row is. */
  enum Condition {
    WHOLE,
    /** Cut at its end. */
    CUT,
    /** Some of its cells cannot be given a column. */
    MISALIGNED
  }

  private static final Set<String> BEGINNINGS =
      Set.of("N", "NO", "NOD", "NV", "S", "SY", "SO", "P", "PI", "PX", "PH", "PS", "N/");

  private final @Nullable Link[] links;
  private final Condition condition;

  private RowCells(@Nullable Link[] links, Condition condition) {
    this.links = links;
    this.condition = condition;
  }

  /** The link in a column; null where it is not certain. */
  @Nullable Link link(int column) {
    return links[column];
  }

  Condition condition() {
    return condition;
  }

  /** Whether a row's last word is the beginning of a cell. */
  static boolean endsInsideCell(RawRow row) {
    return !row.tokens().isEmpty() && BEGINNINGS.contains(row.tokens().getLast().text());
  }

  /**
   * Places a row.
   *
   * @param self the column of the row's own device
   * @param cut whether the paste shows that lines like this one lost their end
   */
  static RowCells place(RawRow row, Columns columns, int self, boolean cut) {
    int width = columns.size();
    List<Token> cells = row.cells();
    if (cells.size() > width && (!columns.closed() || cells.get(width).is(Kind.WORD))) {
      cells = cells.subList(0, width); // unknown columns, or text behind the row
    }
    @Nullable Link[] links = new @Nullable Link[width];
    int count = cells.size();
    boolean anchored = self < count && cells.get(self).is(Kind.SELF);
    if (count == width) {
      boolean unreadable = cells.get(self).is(Kind.WORD) && selfs(cells) == 0;
      if (!anchored && !unreadable) {
        return new RowCells(links, Condition.MISALIGNED);
      }
      fill(links, cells, 0, 0, width);
      return new RowCells(links, Condition.WHOLE);
    }
    int anchor = onlySelf(cells);
    if (anchor < 0) {
      if (selfs(cells) > 0 || !cut || count > self) {
        return new RowCells(links, Condition.MISALIGNED);
      }
      fill(links, cells, 0, 0, certainEnd(cells, row));
      return new RowCells(links, Condition.CUT);
    }
    if (anchor == self) {
      fill(links, cells, 0, 0, self);
      if (cut && count < width) {
        fill(links, cells, self, self, certainEnd(cells, row));
        return new RowCells(links, Condition.CUT);
      }
    }
    if (count - 1 - anchor == width - 1 - self) {
      fill(links, cells, anchor, self, count);
    }
    return new RowCells(links, Condition.MISALIGNED);
  }

  /** A cut {@code NV1} may have been {@code NV12}. */
  private static int certainEnd(List<Token> cells, RawRow row) {
    if (cells.isEmpty() || !row.affinity().isEmpty()) {
      return cells.size();
    }
    Token last = cells.getLast();
    boolean mayGoOn =
        last.is(Kind.CELL)
            && last.text().startsWith("NV")
            && last.text().length() == 3
            && last.end() >= row.lastLine().length();
    return mayGoOn ? cells.size() - 1 : cells.size();
  }

  private static void fill(
      @Nullable Link[] links, List<Token> cells, int from, int column, int end) {
    for (int i = from; i < end; i++) {
      links[column + i - from] = cells.get(i).link();
    }
  }

  private static long selfs(List<Token> cells) {
    return cells.stream().filter(cell -> cell.is(Kind.SELF)).count();
  }

  private static int onlySelf(List<Token> cells) {
    if (selfs(cells) != 1) {
      return -1;
    }
    int at = 0;
    while (!cells.get(at).is(Kind.SELF)) {
      at++;
    }
    return at;
  }
}
