package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.tcp.Frame.Kind;
import java.time.Duration;
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
  /** How long the processes tell each other what they have noticed, before one reason stands. */
  private static final Duration SETTLING = Duration.ofMillis(300);

  private static final int LONGEST_TEXT = 4000;

  /** One that is noticed now, and final after a while. A text that is too long is cut. */
  static Verdict of(
      int rank, String text, boolean own, boolean aborted, @Nullable Throwable cause) {
    String shown = text.length() > LONGEST_TEXT ? text.substring(0, LONGEST_TEXT) + "..." : text;
    return new Verdict(rank, shown, own, aborted, cause, System.nanoTime() + SETTLING.toNanos());
  }

  /**
   * That of a rank which fails now by itself.
   *
   * @param saysMore whether it may still say more
   */
  static Verdict ofFailure(int rank, Throwable cause, boolean saysMore) {
    String message = cause.getMessage();
    return of(rank, message == null ? cause.toString() : message, true, saysMore, cause);
  }

  /** That of another process, as it comes now. */
  static Verdict decoded(Frame frame) {
    return of(frame.from(), frame.text(), frame.first() == 1, frame.second() == 1, null);
  }

  /** As other processes are told. */
  Frame encoded() {
    return Frame.about(Kind.FAILED, rank, -1, own ? 1 : 0, aborted ? 1 : 0, text);
  }

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
