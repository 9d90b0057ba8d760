package dev.duoka.engine.parallel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import org.jspecify.annotations.Nullable;

/** A barrier of threads that a failure breaks for good, so that nobody waits for a lost rank. */
final class Rendezvous {
  private final int parties;
  private int arrived;
  private long generation;
  private @Nullable Throwable failure;
  private int failedRank = -1;
  private int departedRank = -1;

  Rendezvous(int parties) {
    this.parties = parties;
  }

  /** Waits for the others. */
  synchronized void await() {
    throwIfBroken();
    if (departedRank >= 0) {
      throw departed();
    }
    long mine = generation;
    if (++arrived == parties) {
      arrived = 0;
      generation++;
      notifyAll();
      return;
    }
    while (mine == generation && failure == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DuokaException(
            ErrorCode.RANK_LOST, "a rank was interrupted while it waited for the others", "", e);
      }
    }
    if (mine == generation) {
      throwIfBroken();
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
    departedRank = rank;
    if (arrived > 0) {
      breakBecauseOf(rank, departed());
    }
  }

  private DuokaException departed() {
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "rank " + departedRank + " has finished, but another rank waits for it in a collective",
        "");
  }

  synchronized @Nullable Throwable failure() {
    return failure;
  }

  private void throwIfBroken() {
    if (failure != null) {
      throw new DuokaException(
          ErrorCode.RANK_LOST,
          "rank " + failedRank + " failed (" + failure.getMessage() + "), so this rank stops too",
          "",
          failure);
    }
  }
}
