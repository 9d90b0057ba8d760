package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The end of all exchange: the one reason for it ({@link Verdict}), on which all processes come to
 * agree by telling each other, and what a rank does about it. It waits until the reason is final
 * and nobody is at tensors of this process, and throws; so it may free them.
 *
 * <p>Guarded by the world. Ranks call it, and threads of connections only {@link #adopt}, {@link
 * #hasCome} and {@link #takeBack}, which never wait. It tells the other processes, and reads what
 * there is of a {@link Renewal}: as long as one may come, connections are kept that are slow but
 * get further.
 */
final class Ending {
  private final WorldLock lock;
  private final Links links;
  private final TensorAccess access;
  private final Renewal renewal;
  private final Duration limit;
  private @Nullable Verdict verdict;

  /**
   * That of one world.
   *
   * @param limit how long a slow connection is kept that gets further
   */
  Ending(WorldLock lock, Links links, TensorAccess access, Renewal renewal, Duration limit) {
    this.lock = lock;
    this.links = links;
    this.access = access;
    this.renewal = renewal;
    this.limit = limit;
  }

  /** Whether all exchange has ended, for whatever reason. */
  boolean hasCome() {
    return verdict != null;
  }

  /** The reason, final or not; null while exchange goes on. */
  @Nullable Verdict verdict() {
    return verdict;
  }

  /**
   * A rank has noticed that the run cannot go on: ends all exchange, and gives what it is to throw.
   */
  DuokaException lose(int rank, String text) {
    adopt(Verdict.of(rank, text, false, false, null));
    settle();
    return Objects.requireNonNull(verdict).stop();
  }

  /**
   * A rank ends with {@code cause}; on return nobody touches the tensors of this process.
   *
   * @param saysMore whether it may begin again, or end with what it makes of the failure
   */
  void fail(int rank, Throwable cause, boolean saysMore) {
    if (verdict == null || !verdict.isCauseOf(rank, cause)) {
      adopt(Verdict.ofFailure(rank, cause, saysMore));
    }
    settle();
  }

  /** A rank ends all exchange; on return nobody touches the tensors of this process. */
  void abort(int rank, String reason) {
    if (verdict == null) {
      adopt(Verdict.of(rank, reason, true, true, null));
    }
    settle();
  }

  /** Throws, once that is right, if exchange has ended. */
  void throwIfCome() {
    if (verdict != null) {
      settle();
      throw verdict.stop();
    }
  }

  /** Why all exchange has ended; null while it may go on, or the reason is not final yet. */
  @Nullable Throwable failure() {
    Verdict last = verdict;
    return last == null || System.nanoTime() < last.settled() ? null : last.failure();
  }

  /** As {@link #failure}, but waits until the reason is final. */
  @Nullable Throwable finalFailure() {
    if (verdict == null) {
      return null;
    }
    settle();
    return Objects.requireNonNull(verdict).failure();
  }

  /** Takes a reason over if there is none, or it goes before the one there is. */
  void adopt(Verdict candidate) {
    Verdict before = verdict;
    if (before == null
        || (candidate.precedes(before)
            && (System.nanoTime() < before.settled() || candidate.rank() == before.rank()))) {
      verdict = before == null ? candidate : candidate.settledAt(before.settled());
      links.tellAll(candidate.encoded());
      lock.changed();
    }
  }

  /** Takes a reason over in place of the one there is, also of a final one. */
  void replace(Verdict next) {
    verdict = null;
    adopt(next);
  }

  /** Exchange begins again. */
  void takeBack() {
    verdict = null;
  }

  /**
   * Waits until the reason, which there is, is final and nobody touches the tensors of this
   * process.
   */
  void settle() {
    Verdict last = Objects.requireNonNull(verdict);
    lock.awaitInAnyCase(() -> System.nanoTime() >= last.settled());
    long end = System.nanoTime() + limit.toNanos();
    boolean moving = true;
    while (moving && mayRenew() && System.nanoTime() < end) { // which needs these connections
      moving = access.getsFurther();
    }
    // Whoever does not take or give a piece within this time stands still.
    access.awaitNobody();
  }

  private boolean mayRenew() {
    return verdict != null && verdict.own() && !renewal.isOver() && !links.oneHasEnded();
  }
}
