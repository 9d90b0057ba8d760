package dev.duoka.engine.parameter;

import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.RowCopy;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a weight is held in one place: all of it, or stretches of its first or last dimension,
 * one after the other.
 *
 * @param whole the sizes of the whole weight, outermost first
 * @param dimension which one is cut: the first, or the last
 * @param stretches what is held of that dimension
 */
public record Portion(List<Long> whole, int dimension, List<Stretch> stretches) {
  /**
   * Neighbouring elements of the dimension.
   *
   * @param from where they start in the whole weight
   * @param to where they start in what is held
   * @param length how many
   * @param copies in how many neighbouring portions the same stretch is held; their gradients are
   *     parts of one sum
   * @param counted whether this is the copy that norms count and checkpoints keep
   */
  public record Stretch(long from, long to, long length, int copies, boolean counted) {}

  public Portion {
    whole = List.copyOf(whole);
    stretches = List.copyOf(stretches);
    if (dimension != 0 && dimension != whole.size() - 1) {
      throw new IllegalArgumentException("only the first or the last dimension can be cut");
    }
  }

  /** All of a weight of these sizes. */
  public static Portion all(List<Long> whole) {
    return new Portion(whole, 0, List.of(new Stretch(0, 0, whole.getFirst(), 1, true)));
  }

  /** Whether it is all of the weight. */
  public boolean isAll() {
    return stretches.size() == 1
        && stretches.getFirst().length() == whole.get(dimension)
        && stretches.getFirst().copies() == 1;
  }

  /** Whether whole rows of the weight are held: its flat elements then lie in few stretches. */
  public boolean hasWholeRows() {
    return dimension == 0;
  }

  /** The length of a row: the last dimension of the whole weight; 1 of a vector. */
  public long columns() {
    return whole.size() == 1 ? 1 : whole.getLast();
  }

  /** The rows of the whole weight, all dimensions but the last taken together. */
  public long rows() {
    return whole.stream().reduce(1L, Math::multiplyExact) / columns();
  }

  /** Whether anything of these rows of the whole weight is held. */
  public boolean touches(long firstRow, long count) {
    long rowsHeld =
        hasWholeRows()
            ? stretches.stream().mapToLong(Stretch::length).sum() * rowsPerElement()
            : rows();
    return touches(0, rowsHeld * heldColumns(), firstRow, count);
  }

  /** As the other method, of what is held from {@code start} to before {@code end} alone. */
  public boolean touches(long start, long end, long firstRow, long count) {
    return runs(start, end).stream()
        .anyMatch(
            run ->
                Math.max(run.wholeRow(), firstRow)
                    < Math.min(run.wholeRow() + run.rows(), firstRow + count));
  }

  /**
   * Copies what is held of some rows of the whole weight, converting the dtype.
   *
   * @param source {@code [r, columns]}: rows {@code firstRow} to {@code firstRow + r}
   * @param part what is held, in its own shape
   */
  public void take(Tensor source, long firstRow, Tensor part) {
    try (Tensor flat = Views.reshape(part, -1)) {
      take(source, firstRow, flat, 0);
    }
  }

  /**
   * As the other method, into a stretch of what is held.
   *
   * @param flat {@code [n]}: the elements of what is held from {@code start} on
   */
  public void take(Tensor source, long firstRow, Tensor flat, long start) {
    exchange(source, firstRow, flat, start, false, Copies::into);
  }

  /**
   * The way back of {@link #take}: writes what is held into rows of the whole weight, those
   * stretches alone that are counted here.
   */
  public void give(Tensor part, Tensor target, long firstRow) {
    try (Tensor dense = Views.dense(part);
        Tensor flat = Views.reshape(dense, -1)) {
      give(flat, 0, target, firstRow);
    }
  }

  /** As the other method, of a stretch of what is held. */
  public void give(Tensor flat, long start, Tensor target, long firstRow) {
    give(flat, start, target, firstRow, Copies::into);
  }

  /** As the other method, by another way of copying. */
  public void give(Tensor flat, long start, Tensor target, long firstRow, RowCopy copy) {
    exchange(target, firstRow, flat, start, true, copy);
  }

  private void exchange(
      Tensor ofWhole, long firstRow, Tensor flat, long start, boolean give, RowCopy copy) {
    for (Run run : runs(start, start + flat.size(0))) {
      if (give && !run.counted()) {
        continue;
      }
      long low = Math.max(run.wholeRow(), firstRow);
      long high = Math.min(run.wholeRow() + run.rows(), firstRow + ofWhole.size(0));
      if (low >= high) {
        continue;
      }
      try (Scope _ = Scope.open()) {
        Tensor there =
            Views.narrow(
                Views.narrow(ofWhole, 0, low - firstRow, high - low),
                1,
                run.wholeColumn(),
                run.width());
        Tensor here = run.in(flat, low - run.wholeRow(), high - low, start, heldColumns());
        if (give) {
          copy.into(there, here);
        } else {
          copy.into(here, there);
        }
      }
    }
  }

  /**
   * A rectangle that is held.
   *
   * @param wholeRow where it starts in the whole weight
   * @param wholeColumn likewise
   * @param row where it starts in what is held
   * @param column likewise
   * @param rows how many; only whole rows of what is held come several at once
   */
  private record Run(
      long wholeRow,
      long wholeColumn,
      long row,
      long column,
      long rows,
      long width,
      boolean counted) {
    /** Some of its rows, {@code [count, width]}, in elements of what is held from an origin on. */
    Tensor in(Tensor flat, long skipped, long count, long origin, long columns) {
      long first = (row + skipped) * columns - origin;
      if (count == 1) {
        return Views.reshape(Views.narrow(flat, 0, first + column, width), 1, width);
      }
      Tensor rectangle =
          Views.reshape(Views.narrow(flat, 0, first, count * columns), count, columns);
      return Views.narrow(rectangle, 1, column, width);
    }
  }

  /** The rectangles that hold the elements from {@code start} to before {@code end}. */
  private List<Run> runs(long start, long end) {
    List<Run> runs = new ArrayList<>();
    long columns = heldColumns();
    long position = start;
    while (position < end) {
      long row = position / columns;
      long column = position % columns;
      boolean wholeRows = column == 0 && end - position >= columns;
      long rows = wholeRows ? (end - position) / columns : 1;
      long width = wholeRows ? columns : Math.min(columns - column, end - position);
      addRuns(runs, row, column, rows, width);
      position += rows * width;
    }
    return runs;
  }

  private void addRuns(List<Run> runs, long row, long column, long rows, long width) {
    for (Stretch stretch : stretches) {
      long unit = hasWholeRows() ? rowsPerElement() : 1;
      long from = stretch.from() * unit;
      long to = stretch.to() * unit;
      long length = stretch.length() * unit;
      long held = hasWholeRows() ? row : column;
      long low = Math.max(held, to);
      long high = Math.min(held + (hasWholeRows() ? rows : width), to + length);
      if (low >= high) {
        continue;
      }
      if (hasWholeRows()) {
        runs.add(
            new Run(low - to + from, column, low, column, high - low, width, stretch.counted()));
      } else {
        runs.add(new Run(row, low - to + from, row, low, rows, high - low, stretch.counted()));
      }
    }
  }

  /** The length of a row of what is held. */
  private long heldColumns() {
    return hasWholeRows() ? columns() : stretches.stream().mapToLong(Stretch::length).sum();
  }

  /** Rows that one element of the cut dimension takes: more than one of three dimensions. */
  private long rowsPerElement() {
    return rows() / whole.getFirst();
  }
}
