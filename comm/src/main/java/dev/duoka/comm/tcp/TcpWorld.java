package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.RankGroup;
import dev.duoka.ffi.torch.HostMemory;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * All ranks of a run as one process sees them, and the one lock under which its ranks wait, which
 * is this object's monitor.
 *
 * <p>Its methods are for the ranks' threads and the one that has started them, of which each may
 * call at any time. They take the lock and leave what there is to do to a part of the world: {@link
 * Waiting}, {@link Ending}, {@link Presence}, {@link RenewalMeeting}, {@link Delivery}, {@link
 * Transfers}. What connections say comes to {@link LinkReports} instead. Nobody else takes the lock
 * but a call in progress that looks at what it has been shown ({@link Collective}, {@link Message},
 * {@link Reception}), and whoever holds it takes no other one, except for a moment that of a {@link
 * Link}'s queue.
 */
final class TcpWorld implements AutoCloseable {
  private final Membership membership;
  private final Endpoints endpoints;
  private final Links links;
  private final Ending ending;
  private final Presence presence;
  private final Waiting waiting;
  private final Transfers transfers;
  private final Delivery delivery;
  private final Renewal renewal;
  private final RenewalMeeting meeting;
  private final LinkReports reports;

  /**
   * The world of a process that is connected with all others.
   *
   * @param channels the connections, by the number of the process
   * @param limit how long a rank waits without any progress
   */
  TcpWorld(Membership membership, Map<Integer, SocketChannel> channels, Duration limit) {
    this.membership = membership;
    Peer own = membership.own();
    WorldLock lock = new WorldLock(this);
    endpoints = new Endpoints(own);
    links = new Links(membership);
    renewal = new Renewal(membership.peers().size(), own.ranks());
    TensorAccess access = new TensorAccess(lock, links);
    PeerViews views = new PeerViews(endpoints, links);
    ending = new Ending(lock, links, access, renewal, limit);
    presence = new Presence(lock, endpoints, links, ending, views);
    waiting = new Waiting(lock, ending, presence, views, limit);
    transfers = new Transfers(lock, endpoints, links, ending, access);
    delivery = new Delivery(lock, endpoints, links, ending, views);
    meeting =
        new RenewalMeeting(
            lock, links, renewal, ending, presence, transfers, limit, this::hasComeTooEarly);
    reports = new LinkReports(this, lock, ending, presence, views, transfers, delivery, meeting);
    channels.forEach(
        (process, channel) ->
            links.add(new Link(reports, membership.peers().get(process), channel)));
  }

  private void hasComeTooEarly(Renewal.Held held) {
    reports.take(held);
  }

  /** Begins to read and write. */
  void start() {
    links.start();
  }

  Endpoint endpoint(int rank) {
    return endpoints.of(rank);
  }

  boolean isHere(int rank) {
    return endpoints.isHere(rank);
  }

  /** The group of all ranks. */
  Group all() {
    return new Group(0, RankGroup.WORLD, IntStream.range(0, membership.ranks()).boxed().toList());
  }

  /**
   * Waits until nobody is missing. The caller holds this object's lock.
   *
   * @param call in which the rank waits
   * @param missing the world's numbers of the ranks that it waits for
   * @throws DuokaException when the exchange has ended, or a missing rank has finished or let the
   *     limit pass
   */
  void await(Endpoint rank, Exchange call, Supplier<List<Integer>> missing) {
    waiting.await(rank, call, missing);
  }

  /** A rank makes a call that another communicator carries out. */
  synchronized void notes(Endpoint rank, Exchange call) {
    rank.calls(call);
  }

  /** A rank of this process is done: who waits for it would do so for ever. */
  synchronized void finish(int rank) {
    presence.finish(rank);
  }

  // The end.

  /**
   * A rank has noticed that the run cannot go on: ends all exchange, and gives what it is to throw.
   */
  synchronized DuokaException lose(int rank, String text) {
    return ending.lose(rank, text);
  }

  /**
   * A rank ends with {@code cause}; on return nobody touches the tensors of this process. What it
   * ends with says more than the reason it gave before.
   */
  synchronized void fail(int rank, Throwable cause) {
    ending.fail(rank, cause, false);
  }

  /** As {@link #fail}, but the rank may begin again, or end with what it makes of the failure. */
  synchronized void failsIn(int rank, Throwable cause) {
    ending.fail(rank, cause, true);
  }

  /** A rank ends all exchange; on return nobody touches the tensors of this process. */
  synchronized void abort(int rank, String reason) {
    ending.abort(rank, reason);
  }

  /** Whether all exchange has ended, for whatever reason. */
  synchronized boolean isBroken() {
    return ending.hasCome();
  }

  /** Why all exchange has ended; null while it may go on, or the reason is not final yet. */
  synchronized @Nullable Throwable failure() {
    return ending.failure();
  }

  /** As {@link #failure}, but waits until the reason is final. */
  synchronized @Nullable Throwable finalFailure() {
    return ending.finalFailure();
  }

  // Beginning again.

  /** How often exchange has begun again. */
  synchronized long beginnings() {
    return renewal.rounds();
  }

  /** As {@link dev.duoka.comm.Communicator#renew}. */
  synchronized boolean renew(Endpoint rank, @Nullable Throwable own, boolean willing) {
    return meeting.renew(rank, own, willing);
  }

  // Exchange.

  /** Shows a rank's memory to others: what each needs of it. */
  synchronized void offer(Endpoint rank, Slot slot, int to, Offer offer) {
    delivery.offer(rank, slot, to, offer);
  }

  /** Keeps memory open to others, until they are done. */
  synchronized Window open(
      Endpoint rank, Slot slot, HostMemory memory, Collection<Integer> readers) {
    return transfers.open(rank, slot, memory, readers);
  }

  /** Sends a frame to a rank, also of this process. */
  synchronized void send(Frame frame) {
    delivery.send(frame);
  }

  /**
   * Fetches a stretch of what another rank offers. From a rank of this process it is there on
   * return; then the caller must not hold the lock.
   *
   * @param slot of the offer, as the receiver finds it
   * @param offset in the other rank's memory
   */
  Pull pull(Endpoint to, Slot slot, long offset, HostMemory target) {
    Pull pull = new Pull(to, slot.peer(), target);
    if (isHere(slot.peer())) {
      copy(pull, slot, offset);
    } else {
      synchronized (this) {
        transfers.ask(pull, slot, offset);
      }
    }
    return pull;
  }

  /** The others need the lock while bytes are copied. */
  private void copy(Pull pull, Slot slot, long offset) {
    HostMemory from;
    synchronized (this) {
      from = transfers.startCopy(pull, slot, offset);
    }
    try {
      pull.target().copyFrom(from);
    } finally {
      synchronized (this) {
        transfers.endCopy();
      }
    }
    synchronized (this) {
      transfers.copied(pull);
    }
  }

  /** Says the last words and closes all connections. */
  @Override
  public void close() {
    synchronized (this) {
      presence.closing();
    }
    links.close();
  }
}
