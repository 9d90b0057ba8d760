package dev.duoka.engine.parameter;

import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
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

  /** The length of a row: the last dimension of the whole weight. */
  public long columns() {
    return whole.getLast();
  }

  /** The rows of the whole weight, all dimensions but the last taken together. */
  public long rows() {
    return whole.stream().reduce(1L, Math::multiplyExact) / columns();
  }

  /** Whether anything of these rows of the whole weight is held. */
  public boolean touches(long firstRow, long count) {
    if (!hasWholeRows()) {
      return count > 0;
    }
    return stretches.stream()
        .anyMatch(
            it -> {
              long from = it.from() * rowsPerElement();
              long end = from + it.length() * rowsPerElement();
              return Math.max(from, firstRow) < Math.min(end, firstRow + count);
            });
  }

  /**
   * Copies what is held of some rows of the whole weight, converting the dtype.
   *
   * @param source {@code [r, columns]}: rows {@code firstRow} to {@code firstRow + r}
   * @param part what is held, in its own shape
   */
  public void take(Tensor source, long firstRow, Tensor part) {
    exchange(source, firstRow, part, false);
  }

  /**
   * The way back of {@link #take}: writes what is held into rows of the whole weight, those stretches
   * alone that are counted here.
   */
  public void give(Tensor part, Tensor target, long firstRow) {
    exchange(target, firstRow, part, true);
  }

  private void exchange(Tensor ofWhole, long firstRow, Tensor part, boolean give) {
    try (Scope _ = Scope.open()) {
      long rows = ofWhole.size(0);
      long width = hasWholeRows() ? columns() : part.size(-1);
      Tensor flat = Views.reshape(part, -1, width);
      for (Stretch stretch : stretches) {
        if (give && !stretch.counted()) {
          continue;
        }
        if (hasWholeRows()) {
          long unit = rowsPerElement();
          long from = stretch.from() * unit;
          long low = Math.max(from, firstRow);
          long high = Math.min(from + stretch.length() * unit, firstRow + rows);
          if (low < high) {
            copy(
                Views.narrow(ofWhole, 0, low - firstRow, high - low),
                Views.narrow(flat, 0, stretch.to() * unit + low - from, high - low),
                give);
          }
        } else {
          copy(
              Views.narrow(ofWhole, 1, stretch.from(), stretch.length()),
              Views.narrow(
                  Views.narrow(flat, 0, firstRow, rows), 1, stretch.to(), stretch.length()),
              give);
        }
      }
    }
  }

  private static void copy(Tensor ofWhole, Tensor ofPart, boolean give) {
    if (give) {
      Copies.into(ofWhole, ofPart);
    } else {
      Copies.into(ofPart, ofWhole);
    }
  }

  /** Rows that one element of the cut dimension takes: more than one of three dimensions. */
  private long rowsPerElement() {
    return whole.size() == 1 ? 1 : rows() / whole.getFirst();
  }
}
