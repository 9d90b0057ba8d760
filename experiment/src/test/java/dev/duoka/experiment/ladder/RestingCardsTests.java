package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.CardActivity;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.CardUse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

final class RestingCardsTests {
  private static final RungPlace PLACE =
      new RungPlace(List.of("cuda:0", "cuda:1"), List.of("GPU-a", "GPU-b"), "NV18", 450);

  private static CardLoad busy(int utilisation) {
    return new CardLoad(
        Optional.of(utilisation),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        CardActivity.UNKNOWN);
  }

  private static CardLoad.Card card(int index, String uuid, Supplier<CardLoad> load) {
    return new CardLoad.Card(index, Optional.of(uuid), load);
  }

  private static List<BusyCard> look(Duration answer, CardLoad.Card... cards)
      throws InterruptedException {
    return new RestingCards(
            () -> List.of(cards),
            () -> List.of(new CardUse(1, "GPU-b", 9, Map.of(4711L, 8L))),
            Duration.ZERO,
            Duration.ZERO,
            answer)
        .busy(PLACE);
  }

  @Test
  void aCardThatComputesForSomebodyElseIsNamedWithItsProcess() throws InterruptedException {
    List<BusyCard> found =
        look(
            Duration.ofMinutes(1),
            card(0, "GPU-a", () -> busy(0)),
            card(1, "GPU-b", () -> busy(80)),
            card(2, "GPU-of-another-rung", () -> busy(99)));
    assertThat(found).containsExactly(new BusyCard("GPU 1", Optional.of(80), Map.of(4711L, 8L)));
    assertThat(found.getFirst().cause().text()).contains("GPU 1", "80 %", "process 4711");
  }

  /** A desktop that draws once, and a card about which the driver says nothing. */
  @Test
  void aCardThatIsBusyNowAndThenRests() throws InterruptedException {
    AtomicInteger looks = new AtomicInteger();
    assertThat(
            look(
                Duration.ofMinutes(1),
                card(0, "GPU-a", () -> busy(looks.getAndIncrement() < 2 ? 60 : 0)),
                card(1, "GPU-b", () -> CardLoad.UNKNOWN)))
        .isEmpty();
  }

  @Test
  void aCardThatDoesNotAnswerHoldsNobodyUp() throws InterruptedException {
    CountDownLatch never = new CountDownLatch(1);
    List<BusyCard> found =
        look(
            Duration.ofMillis(50),
            card(
                0,
                "GPU-a",
                () -> {
                  try {
                    never.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  return CardLoad.UNKNOWN;
                }));
    assertThat(found).hasSize(1);
    assertThat(found.getFirst().cause().text()).contains("does not answer");
  }
}
