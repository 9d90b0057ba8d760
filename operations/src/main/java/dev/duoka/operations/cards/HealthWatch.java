package dev.duoka.operations.cards;

import dev.duoka.machine.probe.CardHealth;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks once a second whether the cards of a run are well, on a thread that is given up when the
 * driver does not answer: on a lost card it may never. Of what it says of a card nothing is said
 * twice. {@link #look} is for one thread.
 */
public final class HealthWatch implements AutoCloseable {
  private static final long EVERY_MILLISECONDS = 1000;
  private static final long SILENT_NANOS = 30_000_000_000L;

  private final List<String> names;
  private final CardHealth.Probe probe;
  private final LongSupplier clock;
  private final long everyMilliseconds;
  private final Queue<Finding> found = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Map<String, CardHealth> before = new HashMap<>();
  private final Set<String> lost = new HashSet<>();
  private final Set<String> hot = new HashSet<>();
  private volatile long answeredAt;
  private boolean started;
  private boolean silent;

  /**
   * Something about a card.
   *
   * @param card its name in the launch; empty where it is not one card that it is about
   * @param isLost whether the card is gone for this run
   * @param text for people
   */
  public record Finding(Optional<String> card, boolean isLost, String text) {}

  /**
   * A watch of cards of this machine.
   *
   * @param cards those of the run, by number or by the beginning of their identity
   */
  public HealthWatch(List<String> cards) {
    this(cards, CardHealth.ofThisMachine());
  }

  /** As the other constructor, with somebody else to ask. */
  public HealthWatch(List<String> cards, CardHealth.Probe probe) {
    this(cards, probe, System::nanoTime, EVERY_MILLISECONDS);
  }

  HealthWatch(
      List<String> cards, CardHealth.Probe probe, LongSupplier clock, long everyMilliseconds) {
    this.names = List.copyOf(cards);
    this.probe = probe;
    this.clock = clock;
    this.everyMilliseconds = everyMilliseconds;
  }

  /** What is new; returns at once. */
  public List<Finding> look() {
    if (names.isEmpty()) {
      return List.of();
    }
    if (!started) {
      started = true;
      answeredAt = clock.getAsLong();
      Thread.ofPlatform().daemon().name("card-health").start(this::ask);
    }
    List<Finding> news = new ArrayList<>();
    for (Finding next = found.poll(); next != null; next = found.poll()) {
      news.add(next);
    }
    boolean answers = clock.getAsLong() - answeredAt < SILENT_NANOS;
    if (!answers && !silent) {
      news.add(
          new Finding(
              Optional.empty(),
              false,
              "the driver has not answered for "
                  + SILENT_NANOS / 1_000_000_000L
                  + " s, as when a card is lost: see duoka doctor"));
    }
    silent = !answers;
    return news;
  }

  private void ask() {
    try {
      while (!closed.get()) {
        cards(probe.cards());
        probe.faults().forEach(this::fault);
        answeredAt = clock.getAsLong();
        Thread.sleep(everyMilliseconds);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      found.add(new Finding(Optional.empty(), false, "the cards cannot be watched: " + e));
    }
  }

  private void cards(List<CardHealth> all) {
    for (String name : names) {
      Optional<CardHealth> now = all.stream().filter(card -> is(name, card)).findFirst();
      CardHealth known = before.get(name);
      boolean gone = now.isPresent() ? now.get().isLost() : known != null || lostByIndex(name, all);
      if (gone) {
        lose(name, "GPU " + name + " does not answer any more: it has fallen off the bus");
        continue;
      }
      if (now.isPresent()) {
        compare(name, known, now.get());
        before.put(name, now.get());
      }
    }
  }

  /** A lost card has no identity any more, but its number is that of one that had one. */
  private boolean lostByIndex(String name, List<CardHealth> all) {
    CardHealth known = before.get(name);
    return known != null
        && all.stream().anyMatch(card -> card.index() == known.index() && card.isLost());
  }

  private void compare(String name, @Nullable CardHealth known, CardHealth now) {
    long errors = now.uncorrected().orElse(0L);
    long errorsBefore =
        known == null ? errors : known.uncorrected().orElse(0L); // what was before is the doctor's
    if (errors > errorsBefore) {
      found.add(
          new Finding(
              Optional.of(name),
              false,
              "GPU "
                  + name
                  + " has had "
                  + (errors - errorsBefore)
                  + " errors of its memory that could not be corrected"));
    }
    if (!now.isTooHot()) {
      hot.remove(name);
    } else if (hot.add(name)) {
      found.add(
          new Finding(
              Optional.of(name),
              false,
              "GPU "
                  + name
                  + " is too hot"
                  + now.celsius().map(degrees -> " (" + degrees + " °C)").orElse("")
                  + " and slows itself down"));
    }
  }

  private void fault(CardHealth.Fault fault) {
    Optional<String> name =
        names.stream()
            .filter(it -> before.containsKey(it) && before.get(it).index() == fault.index())
            .findFirst();
    if (fault.index() >= 0 && name.isEmpty()) {
      return; // a card that is not the run's
    }
    String who = name.map(it -> "GPU " + it + " has reported ").orElse("the kernel log has ");
    String text = who + fault.text();
    if (fault.isLoss() && name.isPresent()) {
      lose(name.get(), text);
    } else {
      found.add(new Finding(name, false, text));
    }
  }

  private void lose(String name, String text) {
    if (lost.add(name)) {
      found.add(new Finding(Optional.of(name), true, text));
    }
  }

  private static boolean is(String name, CardHealth card) {
    return name.equals(String.valueOf(card.index()))
        || (name.startsWith("GPU-") && card.uuid().startsWith(name));
  }

  /** Asks no more; a thread that waits for the driver is left to itself. */
  @Override
  public void close() {
    closed.set(true);
  }
}
