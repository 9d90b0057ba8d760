package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Exchange;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * How a rank waits for others: until nobody is missing, exchange has ended, one of them is done, or
 * the limit has passed without any progress. Before that it asks what the others do ({@link
 * Inquiry}), so that the message can say it.
 *
 * <p>Guarded by the world. Only ranks call it, each for its own endpoint; it notes there in what it
 * waits, and touches nothing else that was shown.
 */
final class Waiting {
  private final WorldLock lock;
  private final Ending ending;
  private final Presence presence;
  private final PeerViews views;
  private final Duration limit;

  /**
   * That of one world.
   *
   * @param limit how long a rank waits without any progress
   */
  Waiting(WorldLock lock, Ending ending, Presence presence, PeerViews views, Duration limit) {
    this.lock = lock;
    this.ending = ending;
    this.presence = presence;
    this.views = views;
    this.limit = limit;
  }

  /** As {@link TcpWorld#await}. */
  void await(Endpoint rank, Exchange call, Supplier<List<Integer>> missing) {
    rank.waitsIn(call, missing);
    try {
      long start = System.nanoTime();
      Inquiry inquiry = null;
      while (true) {
        List<Integer> others = missing.get();
        if (others.isEmpty()) {
          return;
        }
        ending.throwIfCome();
        presence.require(rank, call, others);
        long waited = System.nanoTime() - Math.max(start, rank.lastProgress());
        long asking = limit.toNanos() / 4 * 3;
        if (waited < asking) {
          inquiry = null;
        } else {
          if (inquiry == null) {
            inquiry = new Inquiry(views, rank.rank(), others.getFirst());
          }
          inquiry.follow();
          if (waited >= limit.toNanos()) {
            throw ending.lose(rank.rank(), inquiry.text(call, others.getFirst(), limit));
          }
        }
        lock.awaitChange(
            Math.max(1, ((inquiry == null ? asking : limit.toNanos()) - waited) / 1_000_000));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      DuokaException interrupted =
          new DuokaException(
              ErrorCode.RANK_LOST, "a rank was interrupted while it waited for the others", "", e);
      ending.fail(rank.rank(), interrupted, false);
      throw interrupted;
    } finally {
      rank.goesOn();
    }
  }
}
