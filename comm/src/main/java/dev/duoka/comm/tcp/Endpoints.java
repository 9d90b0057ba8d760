package dev.duoka.comm.tcp;

import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The ranks of this process, by the world's numbers. Which they are never changes, so any thread
 * may ask without a lock; what an {@link Endpoint} holds is guarded as it says.
 */
final class Endpoints {
  private final Map<Integer, Endpoint> ranks = new TreeMap<>();

  /**
   * Those of a process.
   *
   * @param own this process
   */
  Endpoints(Peer own) {
    for (int rank = own.firstRank(); rank < own.firstRank() + own.ranks(); rank++) {
      ranks.put(rank, new Endpoint(rank));
    }
  }

  /** A rank of this process. */
  Endpoint of(int rank) {
    return Objects.requireNonNull(ranks.get(rank));
  }

  /** A rank; null if another process holds it. */
  @Nullable Endpoint ifHere(int rank) {
    return ranks.get(rank);
  }

  boolean isHere(int rank) {
    return ranks.containsKey(rank);
  }

  /** The numbers of all. */
  Set<Integer> numbers() {
    return ranks.keySet();
  }

  /** All, in the order of their numbers. */
  Collection<Endpoint> all() {
    return ranks.values();
  }
}
