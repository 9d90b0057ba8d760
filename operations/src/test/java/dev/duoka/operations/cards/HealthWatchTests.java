package dev.duoka.operations.cards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardHealth;
import dev.duoka.machine.probe.CardHealth.Fault;
import dev.duoka.operations.cards.HealthWatch.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is noticed of cards, of a driver that is made up. */
@Timeout(60)
final class HealthWatchTests {
  private final AtomicLong now = new AtomicLong();
  private final CountDownLatch answers = new CountDownLatch(1);
  private volatile List<CardHealth> cards = List.of(card(0, 0, false), card(1, 0, false));
  private volatile List<Fault> faults = List.of();
  private volatile boolean hangs;
  private final AtomicLong asked = new AtomicLong();
  private final HealthWatch watch =
      new HealthWatch(List.of("0", "GPU-1"), new MadeUp(), now::get, 1);

  private final class MadeUp implements CardHealth.Probe {
    @Override
    public List<CardHealth> cards() {
      if (hangs) {
        try {
          answers.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      return cards;
    }

    @Override
    public List<Fault> faults() {
      List<Fault> once = faults;
      faults = List.of();
      asked.incrementAndGet();
      return once;
    }
  }

  private static CardHealth card(int index, long errors, boolean isTooHot) {
    return new CardHealth(
        index, "GPU-" + index + "-x", false, Optional.of(errors), Optional.of(90), isTooHot);
  }

  @AfterEach
  void letGo() {
    watch.close();
    answers.countDown();
  }

  /** What was found when the driver was asked twice more. */
  private List<Finding> look() throws InterruptedException {
    List<Finding> all = new ArrayList<>(watch.look());
    long before = asked.get();
    while (asked.get() < before + 2) {
      Thread.sleep(1);
    }
    all.addAll(watch.look());
    return all;
  }

  @Test
  void cardsThatAreWellSayNothing() throws InterruptedException {
    cards = List.of(card(0, 3, false), card(1, 0, false)); // three errors of long ago
    assertThat(look()).isEmpty();
    cards = List.of(card(0, 3, false), card(1, 0, false), card(2, 7, true)); // not the run's
    faults = List.of(new Fault(2, 31, ""));
    assertThat(look()).isEmpty();
  }

  @Test
  void errorsAndHeatAreSaidOnce() throws InterruptedException {
    look();
    cards = List.of(card(0, 2, false), card(1, 0, true));
    assertThat(look())
        .extracting(Finding::text)
        .containsExactly(
            "GPU 0 has had 2 errors of its memory that could not be corrected",
            "GPU GPU-1 is too hot (90 °C) and slows itself down");
    assertThat(look()).isEmpty();
  }

  @Test
  void anXidIsSaidWithItsMeaning() throws InterruptedException {
    look();
    faults = List.of(new Fault(0, 94, ""), new Fault(-1, 13, "NVRM: Xid (PCI:0000:3b:00): 13"));
    List<Finding> found = look();
    assertThat(found).extracting(Finding::isLost).containsExactly(false, false);
    assertThat(found.getFirst().text()).startsWith("GPU 0 has reported Xid 94 (");
    assertThat(found.getLast().text())
        .startsWith("the kernel log has Xid 13 (")
        .endsWith(": NVRM: Xid (PCI:0000:3b:00): 13");
  }

  @Test
  void aCardIsLostOnce() throws InterruptedException {
    look();
    faults = List.of(new Fault(1, 79, ""));
    assertThat(look())
        .singleElement()
        .matches(Finding::isLost)
        .extracting(Finding::card)
        .isEqualTo(Optional.of("GPU-1"));
    cards = List.of(card(0, 0, false));
    assertThat(look()).isEmpty();
    cards = List.of();
    assertThat(look())
        .extracting(Finding::text)
        .containsExactly("GPU 0 does not answer any more: it has fallen off the bus");
  }

  @Test
  void aDriverThatDoesNotAnswerHoldsNobodyUp() throws InterruptedException {
    look();
    hangs = true;
    now.addAndGet(31_000_000_000L);
    while (watch.look().stream().noneMatch(it -> it.text().contains("has not answered"))) {
      now.addAndGet(31_000_000_000L); // the last answer was on its way
      Thread.sleep(1);
    }
    assertThat(watch.look()).isEmpty();
  }
}
