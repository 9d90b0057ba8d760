package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the rows say of each pair of devices; the two halves of the matrix must not disagree. */
final class CellTable {
  private final Columns columns;
  private final @Nullable RowCells[] rows;

  /** Cells that two rows with one label give differently. */
  private final boolean[] torn;

  private final List<String> oneSided = new ArrayList<>();
  private final List<String> contradictions = new ArrayList<>();
  private final List<String> unknown = new ArrayList<>();

  CellTable(Columns columns) {
    this.columns = columns;
    this.rows = new @Nullable RowCells[columns.size()];
    this.torn = new boolean[columns.size()];
  }

  /** Enters a row; false where another row with that label says something else. */
  boolean enter(int device, RowCells cells) {
    RowCells before = rows[device];
    if (before == null) {
      rows[device] = cells;
      return true;
    }
    boolean same = true;
    int known = 0;
    int knownBefore = 0;
    for (int column = 0; column < columns.size(); column++) {
      Link now = cells.link(column);
      Link then = before.link(column);
      known += now == null ? 0 : 1;
      knownBefore += then == null ? 0 : 1;
      same &= now == null || then == null || now.equals(then);
    }
    if (!same) {
      torn[device] = true;
    } else if (known > knownBefore) {
      rows[device] = cells;
    }
    return same;
  }

  boolean has(int device) {
    return rows[device] != null;
  }

  /** The certain links of all pairs of GPUs. */
  SortedMap<Pair, Link> gpuLinks() {
    SortedMap<Pair, Link> links = new TreeMap<>();
    for (int i = 0; i < columns.gpus(); i++) {
      for (int j = i + 1; j < columns.gpus(); j++) {
        Link link = merge(i, j, i + "-" + j);
        if (link != null) {
          links.put(new Pair(i, j), link);
        }
      }
    }
    return links;
  }

  /** The certain links of a network card to GPUs; disagreements go to the warnings. */
  SortedMap<Integer, Link> nicLinks(int nic, List<String> warnings) {
    SortedMap<Integer, Link> links = new TreeMap<>();
    List<String> differing = new ArrayList<>();
    for (int gpu = 0; gpu < columns.gpus(); gpu++) {
      Link a = cell(gpu, nic);
      Link b = cell(nic, gpu);
      Link link = a == null ? b : a;
      if (a != null && b != null && !a.equals(b)) {
        differing.add("GPU" + gpu + " " + a + " or " + b);
      } else if (link != null && !link.isNvlink()) {
        links.put(gpu, link);
      }
    }
    if (!differing.isEmpty()) {
      warnings.add(
          "The two halves of the matrix disagree on "
              + columns.name(nic)
              + ": "
              + Listing.of(differing)
              + "; left out.");
    }
    return links;
  }

  List<String> oneSided() {
    return oneSided;
  }

  List<String> contradictions() {
    return contradictions;
  }

  List<String> unknown() {
    return unknown;
  }

  private @Nullable Link merge(int i, int j, String name) {
    Link a = cell(i, j);
    Link b = cell(j, i);
    if (a == null && b == null) {
      unknown.add(name);
      return null;
    }
    if (a == null || b == null) {
      oneSided.add(name);
      return a == null ? b : a;
    }
    if (a.equals(b)) {
      return a;
    }
    contradictions.add(name + " " + a + " or " + b);
    return null;
  }

  private @Nullable Link cell(int row, int column) {
    RowCells cells = rows[row];
    return cells == null || torn[row] ? null : cells.link(column);
  }
}
