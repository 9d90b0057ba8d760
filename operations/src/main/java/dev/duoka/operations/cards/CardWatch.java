package dev.duoka.operations.cards;

import dev.duoka.machine.probe.CardLoad;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Asks the cards of this machine how busy they are, once a second, as long as somebody wants to
 * know. Each card has a thread of its own: one that does not answer is stale, and holds up nobody.
 * Thread-safe.
 */
public final class CardWatch {
  private static final long EVERY_MILLISECONDS = 1000;
  private static final long WANTED_NANOS = 5_000_000_000L;
  private static final long STALE_NANOS = 5_000_000_000L;

  /** The driver's library keeps large tables on the stack. */
  private static final long DRIVERS_STACK = 8L << 20;

  private final Supplier<List<CardLoad.Card>> find;
  private final long everyMilliseconds;
  private final long staleNanos;
  private final AtomicBoolean started = new AtomicBoolean();
  private final Map<Integer, Answer> answers = new ConcurrentSkipListMap<>();
  private volatile long wanted = System.nanoTime();

  private record Answer(Optional<String> uuid, CardLoad load, long nanos, boolean isAsked) {}

  /**
   * What is known of a card.
   *
   * @param index nvidia-smi's number
   * @param uuid its identity, as CUDA tells it too
   * @param load what it has said last
   * @param stale whether that is some time ago
   */
  public record Seen(int index, Optional<String> uuid, CardLoad load, boolean stale) {}

  /**
   * Of some cards; nobody is asked yet.
   *
   * @param find says which, on a thread of its own
   */
  CardWatch(Supplier<List<CardLoad.Card>> find) {
    this(find, EVERY_MILLISECONDS, STALE_NANOS);
  }

  CardWatch(Supplier<List<CardLoad.Card>> find, long everyMilliseconds, long staleNanos) {
    this.find = find;
    this.everyMilliseconds = everyMilliseconds;
    this.staleNanos = staleNanos;
  }

  /** What the cards have said last, in the order of their numbers. Returns at once. */
  public List<Seen> cards() {
    wanted = System.nanoTime();
    if (started.compareAndSet(false, true)) {
      thread("cards", () -> find.get().forEach(card -> thread("card", () -> ask(card))));
    }
    long now = System.nanoTime();
    return answers.entrySet().stream()
        .map(
            each ->
                new Seen(
                    each.getKey(),
                    each.getValue().uuid(),
                    each.getValue().load(),
                    each.getValue().isAsked() && now - each.getValue().nanos() > staleNanos))
        .toList();
  }

  private static void thread(String name, Runnable work) {
    Thread.ofPlatform().daemon().name(name).stackSize(DRIVERS_STACK).start(work);
  }

  private void ask(CardLoad.Card card) {
    answers.put(card.index(), new Answer(card.uuid(), CardLoad.UNKNOWN, System.nanoTime(), true));
    try {
      while (true) {
        boolean isWanted = System.nanoTime() - wanted < WANTED_NANOS;
        if (isWanted) {
          answers.computeIfPresent(
              card.index(),
              (_, last) ->
                  last.isAsked()
                      ? last
                      : new Answer(card.uuid(), last.load(), System.nanoTime(), true));
          CardLoad load = card.read().get();
          if (!load.equals(CardLoad.UNKNOWN)) { // else what it has said before grows old
            answers.put(card.index(), new Answer(card.uuid(), load, System.nanoTime(), true));
          }
        } else {
          answers.computeIfPresent(
              card.index(), (_, last) -> new Answer(card.uuid(), last.load(), last.nanos(), false));
        }
        Thread.sleep(everyMilliseconds);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
