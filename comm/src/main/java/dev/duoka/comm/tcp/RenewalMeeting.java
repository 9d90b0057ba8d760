package dev.duoka.comm.tcp;

import dev.duoka.comm.tcp.Frame.Kind;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where the ranks of this process come after a failure, to begin again together with those of the
 * others: it says this process's word when the last one has come, waits for what all decide ({@link
 * Renewal}), and does it. Either all that was shown, asked for and given as a reason is forgotten
 * and exchange begins again, or it is over.
 *
 * <p>Guarded by the world. Ranks call {@link #renew}, which waits. Threads of connections call the
 * rest, which never waits, though it may be what begins again: no rank of this process is at a
 * tensor then, for all of them have come.
 */
final class RenewalMeeting {
  private final WorldLock lock;
  private final Links links;
  private final Renewal renewal;
  private final Ending ending;
  private final Presence presence;
  private final Transfers transfers;
  private final Duration limit;
  private final Consumer<Renewal.Held> receiver;

  /**
   * That of one world.
   *
   * @param limit how long a rank waits for the others to come
   * @param receiver takes what had come too early, when it is decided; the lock is held
   */
  RenewalMeeting(
      WorldLock lock,
      Links links,
      Renewal renewal,
      Ending ending,
      Presence presence,
      Transfers transfers,
      Duration limit,
      Consumer<Renewal.Held> receiver) {
    this.lock = lock;
    this.links = links;
    this.renewal = renewal;
    this.ending = ending;
    this.presence = presence;
    this.transfers = transfers;
    this.limit = limit;
    this.receiver = receiver;
  }

  /** As {@link dev.duoka.comm.Communicator#renew}. */
  boolean renew(Endpoint rank, @Nullable Throwable own, boolean willing) {
    if (own != null) { // the others come when they know; the rank may still say more
      ending.adopt(Verdict.ofFailure(rank.rank(), own, true));
    }
    if (ending.hasCome()) {
      ending.settle();
    }
    Verdict reason = ending.verdict();
    if (reason == null || !reason.own() || renewal.isOver()) {
      end(); // who is lost does not come
      return false;
    }
    long before = renewal.rounds();
    if (renewal.arrives(new Renewal.Word(willing, own != null))) {
      Renewal.Word word = renewal.here();
      Membership membership = links.membership();
      int first = membership.own().firstRank();
      links.tellAll(Frame.about(Kind.RENEWED, first, -1, word.encoded(), 0, ""));
      said(membership.self(), word);
    }
    long start = System.nanoTime();
    lock.awaitInAnyCase(
        () -> {
          if (renewal.isOver() || renewal.rounds() != before) {
            return true;
          }
          if (System.nanoTime() - start >= limit.toNanos()) {
            endWithout(rank.rank());
          } else if (!presence.isComplete()) {
            end();
          }
          return renewal.isOver() || renewal.rounds() != before;
        });
    return renewal.rounds() != before;
  }

  /** Whether a frame is of the time after the decision; then it is kept until then. */
  boolean holds(Link link, Frame frame) {
    return renewal.holds(link, frame);
  }

  /** A process has said its word; also this one. */
  void said(int process, Renewal.Word word) {
    renewal.said(process, word);
    if (!renewal.isComplete()) {
      return;
    }
    if (links.oneHasEnded()) {
      renewal.end(); // whatever it has said before
    } else if (renewal.decide()) {
      // Nobody touches tensors of this process: all of its ranks have waited for that.
      transfers.beginAgain();
      ending.takeBack();
    }
    release();
  }

  /**
   * A rank has waited for others to begin again. Those may do so yet, when the last one comes, for
   * this process has said that it would: they are told why it does not.
   */
  private void endWithout(int waiting) {
    Verdict failed = Objects.requireNonNull(ending.verdict());
    String text =
        (failed.own() ? "rank " + failed.rank() + " failed (" + failed.text() + ")" : failed.text())
            + ", and rank "
            + waiting
            + " has waited "
            + Inquiry.seconds(limit)
            + " for "
            + links.membership().peers().get(renewal.firstMissing())
            + " to begin again";
    // Also in place of a final one: nobody knew of this then.
    ending.replace(Verdict.of(failed.rank(), text, false, failed.aborted(), failed.cause()));
    end();
  }

  private void end() {
    renewal.end();
    release();
  }

  /** Takes what was held, in its order. */
  private void release() {
    renewal.release().forEach(receiver);
    lock.changed();
  }
}
