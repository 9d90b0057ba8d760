package dev.duoka.machine.probe;

import static java.util.Map.entry;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where a line of {@code nvidia-smi -q} stands in its tree: by indentation, or, in a paste that
 * lost it, by the names of sections, whose places are known.
 */
final class SmiOutline {
  private static final String INSTANCE = "MIG Device";

  /** Sections that are inside of others. */
  private static final Map<String, Set<String>> PARENTS =
      Map.ofEntries(
          entry("GPU Link Info", Set.of("PCI")),
          entry("Bridge Chip", Set.of("PCI")),
          entry("PCIe Generation", Set.of("GPU Link Info")),
          entry("Link Width", Set.of("GPU Link Info")),
          entry("Volatile", Set.of("ECC Errors")),
          entry("Aggregate", Set.of("ECC Errors")),
          entry("Single Bit", Set.of("Volatile", "Aggregate")),
          entry("Double Bit", Set.of("Volatile", "Aggregate")),
          entry("Aggregate Uncorrectable SRAM Sources", Set.of("ECC Errors")),
          entry("GPU Ceiling Power Limit", Set.of("GPU Power Readings")),
          entry("GPU Base Power", Set.of("GPU Power Readings")));

  private final boolean byName;
  private final Set<String> known;
  private final Deque<Section> open = new ArrayDeque<>();

  private record Section(int indent, String name) {}

  /**
   * An outline.
   *
   * @param byName whether indentation says nothing
   * @param known paths of values that are asked for
   */
  SmiOutline(boolean byName, Set<String> known) {
    this.byName = byName;
    this.known = known;
  }

  /** Forgets all sections. */
  void clear() {
    open.clear();
  }

  /** A line of that indentation begins, which ends the sections that it is not in. */
  void line(int indent) {
    while (!byName && !open.isEmpty() && open.peek().indent() >= indent) {
      open.pop();
    }
  }

  /** A headline; further lines are in its section. */
  void section(int indent, String name) {
    if (byName && !name.equals(INSTANCE) && inInstance()) {
      open.push(new Section(indent, name));
      return;
    }
    Set<String> parents = PARENTS.getOrDefault(name, Set.of());
    while (byName && !open.isEmpty() && !parents.contains(open.peek().name())) {
      open.pop();
    }
    open.push(new Section(indent, name));
  }

  /** The path of a value in the section that is open. */
  String value(int indent, String name) {
    if (!byName) {
      String path = path(open.size(), name);
      // A section may have a value of its own ("Remapped Rows : N/A"), and children after it.
      open.push(new Section(indent, name));
      return path;
    }
    if (inInstance() && name.equals("Accounting Mode")) {
      open.clear(); // the first value of the whole card after its instances
    }
    if (inInstance()) {
      return path(open.size(), name);
    }
    // Without indentation nothing shows the end of a section: the nearest place that has the name.
    for (int depth = open.size(); depth >= 0; depth--) {
      String path = path(depth, name);
      if (known.contains(path) || path.equals("Processes")) {
        return path;
      }
    }
    return path(open.size(), name);
  }

  private boolean inInstance() {
    return !open.isEmpty() && open.peekLast().name().equals(INSTANCE);
  }

  /** The names of the outermost sections and of a value in them. */
  private String path(int depth, String name) {
    List<String> names = new ArrayList<>();
    open.descendingIterator().forEachRemaining(section -> names.add(section.name()));
    return String.join("/", names.subList(0, depth)) + (depth == 0 ? "" : "/") + name;
  }
}
