package dev.duoka.operations.cards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardActivity;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class CardWatchTests {
  private final CountDownLatch never = new CountDownLatch(1);

  @AfterEach
  void release() {
    never.countDown();
  }

  private static CardLoad busy(int percent) {
    return new CardLoad(
        Optional.of(percent),
        Optional.of(7L),
        Optional.of(300.0),
        Optional.of(60),
        Optional.of(1),
        Optional.of(new LinkRate(2e9, 1e9)),
        Optional.empty(),
        CardActivity.UNKNOWN);
  }

  private CardLoad hangs() {
    try {
      never.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return CardLoad.UNKNOWN;
  }

  /** One card answers, another one never does: that is said, and nobody waits. */
  @Test
  void aCardThatDoesNotAnswerIsStaleAndStopsNothing() throws InterruptedException {
    CardWatch watch =
        new CardWatch(
            () ->
                List.of(
                    new CardLoad.Card(0, Optional.of("GPU-a"), () -> busy(90)),
                    new CardLoad.Card(1, Optional.empty(), this::hangs)),
            5,
            1_000_000_000L);
    List<CardWatch.Seen> seen = watch.cards();
    while (seen.size() < 2 || !seen.get(1).stale()) {
      Thread.sleep(10);
      seen = watch.cards();
    }
    assertThat(seen.getFirst())
        .isEqualTo(new CardWatch.Seen(0, Optional.of("GPU-a"), busy(90), false));
    assertThat(seen.get(1).load()).isEqualTo(CardLoad.UNKNOWN);
  }

  @Test
  void aMachineWithoutCardsHasNone() {
    assertThat(new CardWatch(List::of, 5, 1).cards()).isEmpty();
  }

  @Test
  void aDriverThatHangsHoldsNobodyUp() {
    CardWatch watch =
        new CardWatch(
            () -> {
              hangs();
              return List.of();
            },
            5,
            1);
    assertThat(watch.cards()).isEmpty();
    assertThat(watch.cards()).isEmpty();
  }
}
