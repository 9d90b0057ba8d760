package dev.duoka.comm.tcp;

import dev.duoka.base.IoReason;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.tcp.Frame.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which ranks of the run are done, and which are lost because the connection to their process has
 * ended: nobody may wait for either, and the message names them.
 *
 * <p>Guarded by the world. Ranks say here that they are done, and ask before they wait; threads of
 * connections say what has come of other processes and that a connection has ended, and never wait.
 * It ends exchange, and touches no offer and no tensor.
 */
final class Presence {
  private final WorldLock lock;
  private final Endpoints endpoints;
  private final Links links;
  private final Ending ending;
  private final PeerViews views;
  private final TreeSet<Integer> finished = new TreeSet<>();
  private boolean closing;

  Presence(WorldLock lock, Endpoints endpoints, Links links, Ending ending, PeerViews views) {
    this.lock = lock;
    this.endpoints = endpoints;
    this.links = links;
    this.ending = ending;
    this.views = views;
  }

  /** A rank of this process is done: who waits for it would do so for ever. */
  void finish(int rank) {
    finished.add(rank);
    links.tellAll(Frame.about(Kind.FINISHED, rank, -1, 0, 0, ""));
    lock.changed();
  }

  /** A rank of another process has said that it is done. */
  void hasFinished(int rank) {
    finished.add(rank);
  }

  /** This process closes its connections: that others end is no loss any more. */
  void closing() {
    closing = true;
  }

  /** Whether all ranks may still come: none is done, and no connection has ended. */
  boolean isComplete() {
    return finished.isEmpty() && !links.oneHasEnded();
  }

  /** Ends exchange if a rank waits for one that is done. */
  void require(Endpoint rank, Exchange call, List<Integer> others) {
    for (int other : others) {
      if (finished.contains(other)) {
        throw ending.lose(
            rank.rank(),
            "rank "
                + other
                + " has finished, but rank "
                + rank.rank()
                + " waits for it in "
                + call);
      }
    }
  }

  /**
   * A connection has ended. Of a process whose ranks have not all finished, or said why they stop,
   * the ranks are lost.
   */
  void ended(Link link, @Nullable Throwable cause) {
    String problem =
        cause == null || cause.getMessage() == null ? "" : " (" + cause.getMessage() + ")";
    ended(link, link.peer() + " has closed its connection" + problem);
  }

  /** Nothing can be written to a connection, though the other side has not ended it. */
  void unwritable(Link link, IOException cause) {
    Peer peer = link.peer();
    ended(
        link, "nothing can be written to the connection with " + peer + ": " + IoReason.of(cause));
  }

  private void ended(Link link, String what) {
    links.hasEnded();
    Peer peer = link.peer();
    List<Integer> lost = new ArrayList<>();
    for (int i = 0; i < peer.ranks(); i++) {
      if (!finished.contains(peer.firstRank() + i)) {
        lost.add(peer.firstRank() + i);
      }
    }
    if (closing
        || ending.hasCome()
        || lost.isEmpty()
        || finished.containsAll(endpoints.numbers())) {
      lock.changed();
      return;
    }
    Endpoint reporter = reporter();
    ending.adopt(
        Verdict.of(
            reporter.rank(),
            (lost.size() == 1 ? "rank " + lost.getFirst() + " is" : "ranks " + lost + " are")
                + " lost: "
                + what
                + "; rank "
                + reporter.rank()
                + " "
                + reporter.view().text()
                + views.lastCall(lost.getFirst()),
            false,
            false,
            null));
  }

  /** The first rank of this process that waits, or else the first that has not finished. */
  private Endpoint reporter() {
    List<Endpoint> here =
        endpoints.all().stream().filter(endpoint -> !finished.contains(endpoint.rank())).toList();
    return here.stream()
        .filter(endpoint -> endpoint.waitsIn() != null)
        .findFirst()
        .orElse(here.getFirst());
  }
}
