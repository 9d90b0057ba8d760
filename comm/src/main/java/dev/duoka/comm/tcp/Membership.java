package dev.duoka.comm.tcp;

import java.util.List;

/**
 * All processes of a run, as one of them knows them.
 *
 * @param peers in the order of their numbers, this process among them
 * @param self this process's number
 * @param token a word that only processes of this run know
 * @param word what process 0 has told the others
 */
public record Membership(List<Peer> peers, int self, String token, String word) {
  /** How many ranks the run has. */
  public int ranks() {
    return peers.stream().mapToInt(Peer::ranks).sum();
  }

  /** This process. */
  public Peer own() {
    return peers.get(self);
  }

  /** The process that holds a rank. */
  public Peer holder(int rank) {
    return peers.stream().filter(peer -> peer.holds(rank)).findFirst().orElseThrow();
  }
}
