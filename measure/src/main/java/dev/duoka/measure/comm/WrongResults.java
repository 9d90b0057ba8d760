package dev.duoka.measure.comm;

import dev.duoka.comm.Communicator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** What ranks, threads of one process, have found wrong; one for all of them. */
final class WrongResults {
  private final Map<Integer, String> wrong = new ConcurrentSkipListMap<>();

  /**
   * What the first rank with a wrong result says, on every rank. Collective.
   *
   * @param mine what is wrong on this rank; empty where nothing is
   */
  Optional<String> first(Communicator ranks, Optional<String> mine) {
    mine.ifPresent(it -> wrong.put(ranks.rank(), it));
    ranks.agreement().barrier();
    Optional<String> first = wrong.values().stream().findFirst();
    ranks.agreement().barrier();
    wrong.clear();
    ranks.agreement().barrier();
    return first;
  }
}
