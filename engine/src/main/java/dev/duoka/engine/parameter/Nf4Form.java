package dev.duoka.engine.parameter;

import dev.duoka.engine.parameter.Portion.Stretch;
import dev.duoka.tensor.nf4.Nf4Layout;
import dev.duoka.tensor.nf4.Nf4Piece;
import java.util.List;

/**
 * How a frozen weight is kept in 4 bits (NF4; Dettmers et al., arXiv:2305.14314). Blocks are those
 * of the whole tensors that the weight is made of, so what is held of it has the same numbers
 * whatever the cut.
 *
 * @param rows of each tensor that is quantized for itself, one below the other in the weight taken
 *     as a matrix
 * @param doubled whether scales are quantized, too
 */
public record Nf4Form(List<Long> rows, boolean doubled) {
  public Nf4Form {
    rows = List.copyOf(rows);
  }

  /** How what is held of a weight lies in bytes. */
  Nf4Layout layout(Portion portion) {
    long all = rows.stream().mapToLong(Long::longValue).sum();
    if (all != portion.rows()) {
      throw new IllegalArgumentException(
          "tensors of " + rows + " rows for a weight of " + portion.rows());
    }
    Nf4Layout layout = new Nf4Layout();
    long firstRow = 0;
    for (int tensor = 0; tensor < rows.size(); tensor++) {
      add(layout, portion, tensor, firstRow);
      firstRow += rows.get(tensor);
    }
    return layout;
  }

  private void add(Nf4Layout layout, Portion portion, int tensor, long firstRow) {
    long columns = portion.columns();
    long count = rows.get(tensor);
    if (portion.hasWholeRows()) {
      long unit = portion.rows() / portion.whole().getFirst();
      for (Stretch stretch : portion.stretches()) {
        long low = Math.max(firstRow, stretch.from() * unit);
        long high = Math.min(firstRow + count, (stretch.from() + stretch.length()) * unit);
        if (low < high) {
          long held = stretch.to() * unit + low - stretch.from() * unit;
          layout.add(
              tensor,
              new Nf4Piece(
                  count * columns,
                  (low - firstRow) * columns,
                  columns,
                  high - low,
                  columns,
                  doubled),
              held * columns,
              columns);
        }
      }
      return;
    }
    long pitch = portion.stretches().stream().mapToLong(Stretch::length).sum();
    for (Stretch stretch : portion.stretches()) {
      layout.add(
          tensor,
          new Nf4Piece(count * columns, stretch.from(), columns, count, stretch.length(), doubled),
          firstRow * pitch + stretch.to(),
          pitch);
    }
  }
}
