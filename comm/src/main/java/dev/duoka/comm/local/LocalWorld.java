package dev.duoka.comm.local;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Exchange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All ranks of the process: the one lock under which they wait for each other, and the first
 * failure, which ends every wait for good.
 */
final class LocalWorld implements AutoCloseable {
  private @Nullable Throwable failure;
  private int failedRank = -1;
  private boolean aborted;
  private final Set<Integer> departed = new TreeSet<>();
  private final List<LocalGroup> groups = new ArrayList<>();
  private int renewing;
  private boolean allWilling;
  private boolean anyFailed;
  private long renewals;
  private boolean renewed;
  private final Map<Integer, Integer> copiesFrom = new HashMap<>();
  private final List<LocalGroup.Slot> slots = new ArrayList<>();
  private final LocalViews views;
  private final int size;
  private final Duration limit;

  /**
   * A world of ranks.
   *
   * @param limit how long a rank waits for others
   */
  LocalWorld(int size, Duration limit) {
    this.views = new LocalViews(size);
    this.size = size;
    this.limit = limit;
  }

  /** What each rank does. */
  LocalViews views() {
    return views;
  }

  /**
   * Waits until {@code condition} holds. The caller holds this object's lock.
   *
   * @param rank who waits
   * @param call in which it waits
   * @param partners the ranks of the world without whom it never will
   * @throws DuokaException when a rank has failed, one of the partners has finished, or the limit
   *     has passed: then all end, and the message says where each of the partners is
   */
  void await(int rank, Exchange call, List<Integer> partners, BooleanSupplier condition) {
    long since = System.nanoTime();
    while (!condition.getAsBoolean()) {
      throwIfBroken();
      long left = limit.toNanos() - (System.nanoTime() - since);
      if (left <= 0) {
        DuokaException late = views.late(rank, call, partners, limit);
        breakBecauseOf(rank, late);
        throw late;
      }
      for (int partner : partners) {
        if (departed.contains(partner)) {
          DuokaException lost =
              new DuokaException(
                  ErrorCode.RANK_LOST,
                  "rank "
                      + partner
                      + " has finished, but rank "
                      + rank
                      + " waits for it in "
                      + call,
                  "");
          breakBecauseOf(partner, lost);
          throw lost;
        }
      }
      views.waitsIn(rank, call);
      try {
        wait(Math.max(1, left / 1_000_000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DuokaException(
            ErrorCode.RANK_LOST, "a rank was interrupted while it waited for the others", "", e);
      } finally {
        views.waitsIn(rank, null);
      }
    }
  }

  /** Waits until {@code condition} holds, also when all exchange has ended. */
  void awaitInAnyCase(BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Releases everybody with an error. The first failure is the one that is reported, except that
   * what a rank fails with tells more than the reason it gave when it aborted, or than the failure
   * that is its cause.
   */
  synchronized void breakBecauseOf(int rank, Throwable cause) {
    Throwable known = failure;
    boolean saysMore = aborted || (known != null && known.equals(cause.getCause()));
    if (known == null || (rank == failedRank && saysMore)) {
      failure = cause;
      failedRank = rank;
      aborted = false;
    }
    notifyAll();
  }

  /** Ends all exchange, and waits until nobody copies from what the rank has sent. */
  synchronized void abort(int rank, String reason) {
    if (failure == null) {
      breakBecauseOf(rank, new DuokaException(ErrorCode.RANK_LOST, reason, ""));
      aborted = true;
    }
    awaitInAnyCase(() -> copiesFrom.getOrDefault(rank, 0) == 0);
  }

  /** Notes that somebody copies a message of this rank. */
  void startCopyFrom(int rank) {
    copiesFrom.merge(rank, 1, Integer::sum);
  }

  /** Notes that the copy is launched, or will not be. */
  synchronized void endCopyFrom(int rank) {
    copiesFrom.merge(rank, -1, Integer::sum);
    notifyAll();
  }

  /** Keeps a group's slots, whose marks other ranks may wait for after their owner has left. */
  synchronized void closeAtTheEnd(List<LocalGroup.Slot> added) {
    slots.addAll(added);
  }

  /** Keeps a group, which begins again when the exchange does. */
  synchronized void add(LocalGroup group) {
    groups.add(group);
  }

  /** As {@link dev.duoka.comm.Communicator#renew}. */
  synchronized boolean renew(int rank, @Nullable Throwable own, boolean willing) {
    if (own != null) {
      breakBecauseOf(rank, own); // so that the others come, too
    }
    allWilling = willing && (renewing == 0 || allWilling);
    anyFailed = own != null || (renewing > 0 && anyFailed);
    long mine = renewals;
    if (++renewing == size) {
      decide(departed.isEmpty() && allWilling && anyFailed);
    }
    long since = System.nanoTime();
    while (renewals == mine) {
      long left = limit.toNanos() - (System.nanoTime() - since);
      if (!departed.isEmpty() || left <= 0) {
        decide(false);
        break;
      }
      try {
        wait(Math.max(1, left / 1_000_000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        decide(false);
      }
    }
    return renewed;
  }

  private void decide(boolean again) {
    renewing = 0;
    renewals++;
    renewed = again;
    if (again) {
      failure = null;
      failedRank = -1;
      aborted = false;
      copiesFrom.clear();
      groups.forEach(LocalGroup::beginAgain);
    }
    notifyAll();
  }

  /** Frees what the groups hold, when all ranks have ended. */
  @Override
  public synchronized void close() {
    slots.forEach(LocalGroup.Slot::close);
  }

  /** A rank has failed, and ends: nobody can begin again with it. */
  synchronized void fail(int rank, Throwable cause) {
    breakBecauseOf(rank, cause);
    leave(rank);
  }

  /** Notes that a rank is done: who waits for it would do so for ever. */
  synchronized void leave(int rank) {
    departed.add(rank);
    notifyAll();
  }

  synchronized @Nullable Throwable failure() {
    return failure;
  }

  synchronized void throwIfBroken() {
    if (failure != null) {
      throw new DuokaException(
          ErrorCode.RANK_LOST,
          "rank " + failedRank + " failed (" + failure.getMessage() + "), so this rank stops too",
          "",
          failure);
    }
  }
}
