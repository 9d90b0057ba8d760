package dev.duoka.machine.topology;

import dev.duoka.hardware.LinkTable;
import dev.duoka.hardware.NvlinkGeneration;
import java.util.List;
import java.util.Optional;

/**
 * Tells NVSwitches from links that go from card to card: the matrix shows both alike, but a card
 * whose pairs together show more NVLinks than it has shares them, and only a switch does that.
 */
final class NvSwitches {
  private NvSwitches() {}

  /** The NVLink domains whose every GPU shares its links, in order. */
  static List<List<Integer>> of(Topology topology) {
    return topology.nvlinkDomains().stream()
        .filter(domain -> domain.stream().allMatch(gpu -> shares(topology, gpu)))
        .toList();
  }

  private static boolean shares(Topology topology, int gpu) {
    int shown =
        topology.links().entrySet().stream()
            .filter(entry -> entry.getKey().first() == gpu || entry.getKey().second() == gpu)
            .mapToInt(entry -> entry.getValue().nvlinks())
            .sum();
    return shown > mostLinks(topology.gpus().get(gpu));
  }

  /** That a card has; of one that is not known, that any has. */
  private static int mostLinks(Gpu gpu) {
    Optional<NvlinkGeneration> known =
        Bandwidths.capability(gpu).flatMap(LinkTable.builtIn()::generation);
    return known
        .map(NvlinkGeneration::mostLinks)
        .orElseGet(
            () ->
                LinkTable.builtIn().generations().stream()
                    .mapToInt(NvlinkGeneration::mostLinks)
                    .max()
                    .orElseThrow());
  }
}
