package dev.duoka.hardware;

import java.util.List;
import java.util.Set;

/**
 * A generation of NVLink.
 *
 * @param name for example {@code NVLink 4}
 * @param linkGbs GB/s of one link in one direction
 * @param mostLinks that a card has
 * @param counts how many links two cards usually share
 * @param computeCapabilities of the cards that have it
 */
public record NvlinkGeneration(
    String name,
    double linkGbs,
    int mostLinks,
    Set<Integer> counts,
    List<String> computeCapabilities) {
  public NvlinkGeneration {
    counts = Set.copyOf(counts);
    computeCapabilities = List.copyOf(computeCapabilities);
  }
}
