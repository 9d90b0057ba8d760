package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What matrices of {@code nvidia-smi topo -p2p} say that stand in the same text: which GPUs the
 * driver does not let reach each other's memory.
 */
final class PeerAccess {
  private static final Pattern COMMAND = Pattern.compile("topo\\s+-p2p\\s+(\\w{1,4})");
  private static final Pattern OTHER_COMMAND =
      Pattern.compile("topo\\s+-(?!p2p)\\w|nvidia-smi\\s*$");
  private static final Pattern ROW =
      Pattern.compile("^\\s*GPU(\\d{1,4})((?:\\s+(?:X|OK|CNS|GNS|TNS|NS|DR|U)\\b)+)\\s*$");
  private static final String SELF = "X";
  private static final Map<String, String> MEANINGS =
      Map.of(
          "CNS", "the chipset does not support it",
          "GNS", "the GPU does not support it",
          "TNS", "the topology does not support it",
          "NS", "it is not supported",
          "DR", "a registry key of the driver disables it",
          "U", "unknown");

  private PeerAccess() {}

  /** Whether the text has rows of such a matrix. */
  static boolean isThere(List<String> lines) {
    return lines.stream().anyMatch(line -> ROW.matcher(line).matches());
  }

  /** One sentence for each state other than OK, with the pairs that have it. */
  static List<String> warnings(List<String> lines, int gpus) {
    Map<String, Set<Pair>> states = new LinkedHashMap<>();
    String asked = "";
    for (String line : lines) {
      Matcher command = COMMAND.matcher(line);
      if (command.find()) {
        asked = command.group(1);
      } else if (OTHER_COMMAND.matcher(line).find()) {
        asked = "";
      }
      Matcher row = ROW.matcher(line);
      // Capability n is NVLink alone, a is atomics: neither says who reaches whom.
      if (!asked.equals("n") && !asked.equals("a") && row.matches()) {
        note(Integer.parseInt(row.group(1)), row.group(2).strip().split("\\s+"), gpus, states);
      }
    }
    List<String> warnings = new ArrayList<>();
    states.forEach((state, pairs) -> warnings.add(sentence(state, pairs)));
    return warnings;
  }

  private static void note(int gpu, String[] cells, int gpus, Map<String, Set<Pair>> states) {
    if (cells.length != gpus || gpu >= gpus || !cells[gpu].equals(SELF)) {
      return;
    }
    for (int other = 0; other < cells.length; other++) {
      if (other != gpu && MEANINGS.containsKey(cells[other])) {
        states.computeIfAbsent(cells[other], s -> new TreeSet<>()).add(Pair.of(gpu, other));
      }
    }
  }

  private static String sentence(String state, Collection<Pair> pairs) {
    return "No peer access between "
        + Listing.of(pairs.stream().map(Pair::toString).toList())
        + ": the matrix of topo -p2p in the same text says "
        + state
        + " ("
        + MEANINGS.get(state)
        + "), so copies between them go through host memory.";
  }
}
