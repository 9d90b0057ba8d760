package dev.duoka.comm.tcp;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What the connections report to the world: frames that have come, pieces that they begin and end
 * with, and that they have ended.
 *
 * <p>Called by the threads of connections, which do not hold the world's lock: each method takes
 * it, passes on what there is, and never waits under it. ({@link #take}, and {@link #ended} of a
 * connection that cannot even be closed, may also come from a rank that holds it.)
 */
final class LinkReports {
  private final TcpWorld world;
  private final Ending ending;
  private final Presence presence;
  private final PeerViews views;
  private final Transfers transfers;
  private final Delivery delivery;
  private final RenewalMeeting meeting;
  private final WorldLock lock;

  /**
   * To one world.
   *
   * @param world whose lock is taken, and of which no more is used
   */
  LinkReports(
      TcpWorld world,
      WorldLock lock,
      Ending ending,
      Presence presence,
      PeerViews views,
      Transfers transfers,
      Delivery delivery,
      RenewalMeeting meeting) {
    this.world = world;
    this.lock = lock;
    this.ending = ending;
    this.presence = presence;
    this.views = views;
    this.transfers = transfers;
    this.delivery = delivery;
    this.meeting = meeting;
  }

  /** A frame has come. */
  void receive(Link link, Frame frame) throws IOException {
    synchronized (world) {
      if (meeting.holds(link, frame)) {
        return;
      }
      switch (frame.kind()) {
        case FAILED -> ending.adopt(Verdict.decoded(frame));
        case FINISHED -> presence.hasFinished(frame.from());
        case RENEWED -> meeting.said(link.peer().process(), Renewal.Word.decoded(frame.first()));
        case ANSWER -> views.answered(frame);
        case QUESTION -> views.reply(link, frame);
        case OFFER -> delivery.offered(frame);
        case PULL -> transfers.serve(link, frame);
        case READY, DONE -> delivery.said(frame);
        case DATA -> throw new IOException("a piece of data out of place");
      }
      lock.changed();
    }
  }

  /** Receives, as if it came now, a frame that had come too early. */
  void take(Renewal.Held held) {
    try {
      receive(held.link(), held.frame());
    } catch (IOException e) {
      ended(held.link(), e);
    }
  }

  /** Whether a connection may read from a rank's tensor now; then {@link #endSending} follows. */
  boolean startSending(Link link, Window window) {
    synchronized (world) {
      return transfers.startSending(link, window);
    }
  }

  /** A connection is done with the tensor, whether the piece is gone or not. */
  void endSending(Link link, Window window) {
    synchronized (world) {
      transfers.endSending(link, window);
    }
  }

  /**
   * Where a piece goes to; null if nobody wants it any more. If not, {@link #endReceiving} follows.
   */
  @Nullable Pull startReceiving(Link link, long request) {
    synchronized (world) {
      return transfers.startReceiving(link, request);
    }
  }

  /**
   * A connection is done with the tensor.
   *
   * @param bytes of the piece; 0 if it has not come whole
   */
  void endReceiving(Link link, long request, Pull pull, long bytes) {
    synchronized (world) {
      transfers.endReceiving(link, request, pull, bytes);
    }
  }

  /**
   * A connection has ended. Of a process whose ranks have not all finished, or said why they stop,
   * the ranks are lost.
   */
  void ended(Link link, @Nullable Throwable cause) {
    synchronized (world) {
      presence.ended(link, cause);
    }
  }

  /** Nothing can be written to a connection, though the other side has not ended it. */
  void unwritable(Link link, IOException cause) {
    synchronized (world) {
      presence.unwritable(link, cause);
    }
  }
}
