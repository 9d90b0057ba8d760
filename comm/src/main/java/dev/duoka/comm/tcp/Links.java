package dev.duoka.comm.tcp;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The connections to all other processes, of which there is one each: what is sent goes by them,
 * and they end together.
 *
 * <p>Which they are never changes once they are {@linkplain #add added}. Frames are queued by ranks
 * and by threads of connections, under the world's lock; queueing never waits. {@link #start} and
 * {@link #close} are for the thread that owns the world, which does not hold the lock: the
 * connections' threads need it to end.
 */
final class Links {
  /** How long a process that is done waits for the others to have read its last words. */
  private static final Duration LINGERING = Duration.ofSeconds(1);

  private final Membership membership;
  private final Map<Integer, Link> links = new HashMap<>();
  private boolean oneHasEnded;
  private long lastRequest;

  Links(Membership membership) {
    this.membership = membership;
  }

  /** Before {@link #start}: the connection to one more process. */
  void add(Link link) {
    links.put(link.peer().process(), link);
  }

  /** Who is connected. */
  Membership membership() {
    return membership;
  }

  /** Begins to read and write. */
  void start() {
    links.values().forEach(Link::start);
  }

  /** Sends a frame to the process of a rank, which is another one. */
  void send(int rank, Frame frame) {
    Objects.requireNonNull(links.get(membership.holder(rank).process())).send(frame);
  }

  /** Sends a frame to all other processes. */
  void tellAll(Frame frame) {
    links.values().forEach(link -> link.send(frame));
  }

  /**
   * A number for what is asked of other processes, a stretch or what a rank does, by which the
   * answer is known.
   */
  long nextRequest() {
    return ++lastRequest;
  }

  /** Those of which a thread is at a rank's tensor now. */
  Stream<Link> touching() {
    return links.values().stream().filter(Link::touches);
  }

  /** A connection has ended, whoever has ended it. */
  void hasEnded() {
    oneHasEnded = true;
  }

  /** Whether any has ended: then exchange among all ranks does not begin again. */
  boolean oneHasEnded() {
    return oneHasEnded;
  }

  /** Says the last words and closes all. The world's lock is not held. */
  void close() {
    links.values().forEach(Link::finish);
    long end = System.nanoTime() + LINGERING.toNanos();
    for (Link link : links.values()) {
      try {
        link.close(end);
      } catch (InterruptedException e) {
        link.abandon();
        Thread.currentThread().interrupt();
      }
    }
  }
}
