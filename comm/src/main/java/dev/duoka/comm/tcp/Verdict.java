package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * Why all exchange has ended. Several processes may notice the same loss at about the same time;
 * each tells all others, and what the lowest rank says becomes everybody's message.
 *
 * @param rank who says it
 * @param text why
 * @param own whether the rank failed by itself, not of another one's loss
 * @param aborted whether the rank gave a reason, or failed in an exchange, and may still say more
 * @param cause what was thrown, where it was in this process
 * @param settled from when on it is final, by {@link System#nanoTime}
 */
record Verdict(
    int rank, String text, boolean own, boolean aborted, @Nullable Throwable cause, long settled) {
  /** The same, final at another time. */
  Verdict settledAt(long nanos) {
    return new Verdict(rank, text, own, aborted, cause, nanos);
  }

  /** What ends the run. */
  Throwable failure() {
    if (cause != null) {
      return cause;
    }
    return new DuokaException(
        ErrorCode.RANK_LOST,
        own ? "rank " + rank + " failed (" + text + "), so the other ranks stop too" : text,
        "");
  }

  /** What a rank throws that finds the exchange ended. */
  DuokaException stop() {
    return new DuokaException(
        ErrorCode.RANK_LOST,
        own ? "rank " + rank + " failed (" + text + "), so this rank stops too" : text,
        "",
        cause);
  }

  /**
   * Whether a rank that ends with {@code thrown} only says again what this says: that exchange has
   * ended. What it makes of a failure of its own says more.
   */
  boolean isCauseOf(int by, Throwable thrown) {
    return !(rank == by && aborted && cause == null)
        && thrown instanceof DuokaException e
        && e.code() == ErrorCode.RANK_LOST;
  }

  /** Whether this is the one to report, of two. */
  boolean precedes(Verdict other) {
    return rank < other.rank || (rank == other.rank && other.aborted && !aborted);
  }
}
