package dev.duoka.machine.topology;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which rows lost their end, by what the paste shows: many rows that stop near one width, a last
 * line in the middle of a row, a word that is the beginning of a cell.
 */
final class CutLines {
  private static final int TAB = 8;
  private static final int SPREAD = 9;

  private final Set<RawRow> cut = new HashSet<>();

  CutLines(RawMatrix matrix, Columns columns, List<String> lines) {
    List<RawRow> shorter =
        matrix.rows().stream()
            .filter(row -> row.affinity().isEmpty() && row.cells().size() < columns.size())
            .toList();
    if (sameWidth(shorter) && shorter.size() >= 2 && 2 * shorter.size() >= matrix.rows().size()) {
      cut.addAll(shorter);
    }
    for (RawRow row : shorter) {
      boolean last = row == matrix.rows().getLast() && endsPaste(row, lines);
      boolean ofGpu = row.label() != null && row.label().startsWith("GPU");
      if (RowCells.endsInsideCell(row) || (last && (ofGpu || matrix.rows().size() > 1))) {
        cut.add(row);
      }
    }
  }

  boolean contains(RawRow row) {
    return cut.contains(row);
  }

  private static boolean sameWidth(List<RawRow> rows) {
    int least = Integer.MAX_VALUE;
    int most = 0;
    for (RawRow row : rows) {
      int width = width(row.lastLine());
      least = Math.min(least, width);
      most = Math.max(most, width);
    }
    return most - least < SPREAD;
  }

  private static int width(String line) {
    int width = 0;
    String text = line.stripTrailing();
    for (int i = 0; i < text.length(); i++) {
      width = text.charAt(i) == '\t' ? (width / TAB + 1) * TAB : width + 1;
    }
    return width;
  }

  private static boolean endsPaste(RawRow row, List<String> lines) {
    int after = row.line() + 1;
    while (after < lines.size() && lines.get(after).isBlank()) {
      after++;
    }
    return after == lines.size();
  }
}
