package dev.duoka.comm.tcp;

import java.net.InetSocketAddress;

/**
 * One process of a run.
 *
 * @param process its number, from 0
 * @param firstRank the first of the ranks that it holds
 * @param ranks how many it holds, in a row
 * @param host the name of its machine, for messages
 * @param pid its number there
 * @param address where it accepts connections of the other processes
 */
public record Peer(
    int process, int firstRank, int ranks, String host, long pid, InetSocketAddress address) {
  /** Whether a rank is one of its own. */
  public boolean holds(int rank) {
    return firstRank <= rank && rank < firstRank + ranks;
  }

  /** For example {@code process 1 (pid 4711 on node7)}. */
  @Override
  public String toString() {
    return "process " + process + " (pid " + pid + " on " + host + ")";
  }
}
