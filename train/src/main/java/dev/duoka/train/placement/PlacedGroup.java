package dev.duoka.train.placement;

import dev.duoka.parallel.mesh.MeshExchange;
import java.util.List;

/**
 * Ranks that exchange with each other.
 *
 * @param exchange along which axis
 * @param ranks in order
 * @param slowest the slowest way among them, which the others wait for
 */
public record PlacedGroup(MeshExchange exchange, List<Integer> ranks, Way slowest) {
  public PlacedGroup {
    ranks = List.copyOf(ranks);
  }
}
