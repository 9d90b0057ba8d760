package dev.duoka.comm.local;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All ranks of the process: the one lock under which they wait for each other, and the first
 * failure, which ends every wait for good.
 */
final class LocalWorld {
  private @Nullable Throwable failure;
  private int failedRank = -1;
  private final Set<Integer> departed = new TreeSet<>();

  /**
   * Waits until {@code condition} holds. The caller holds this object's lock.
   *
   * @param partners the ranks of the world without whom it never will
   * @throws DuokaException when a rank has failed, or one of the partners has finished
   */
  void await(List<Integer> partners, BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      throwIfBroken();
      for (int partner : partners) {
        if (departed.contains(partner)) {
          DuokaException lost =
              new DuokaException(
                  ErrorCode.RANK_LOST,
                  "rank " + partner + " has finished, but another rank waits for it",
                  "");
          breakBecauseOf(partner, lost);
          throw lost;
        }
      }
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DuokaException(
            ErrorCode.RANK_LOST, "a rank was interrupted while it waited for the others", "", e);
      }
    }
  }

  /** Releases everybody with an error; the first failure is the one that is reported. */
  synchronized void breakBecauseOf(int rank, Throwable cause) {
    if (failure == null) {
      failure = cause;
      failedRank = rank;
    }
    notifyAll();
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
