package dev.duoka.experiment.ladder;

import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.CardUse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Looks whether cards rest while nothing of the ladder runs on them. */
final class RestingCards {
  /** The driver's figure is of the last second or less; that of an arm has to pass. */
  private static final long REST_MILLISECONDS = 1500;

  private static final int LOOKS = 6;
  private static final long BETWEEN_MILLISECONDS = 250;
  private static final Duration ANSWER = Duration.ofSeconds(20);

  /** Per cent: a desktop draws now and then, a program that computes does not stop. */
  private static final int BUSY = 10;

  private RestingCards() {}

  /** Those of a rung that are busy in most of some looks, or do not answer. */
  static List<BusyCard> busy(RungPlace place) throws InterruptedException {
    Thread.sleep(REST_MILLISECONDS);
    AtomicReference<List<BusyCard>> seen = new AtomicReference<>();
    Thread look =
        Thread.ofPlatform()
            .daemon() // a card that is lost may never answer
            .name("resting cards")
            .start(
                () -> {
                  try {
                    seen.set(look(place));
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    if (!look.join(ANSWER) || seen.get() == null) {
      look.interrupt();
      return List.of(new BusyCard("a card", Optional.empty(), Map.of()));
    }
    return seen.get();
  }

  private static List<BusyCard> look(RungPlace place) throws InterruptedException {
    List<BusyCard> busy = new ArrayList<>();
    List<CardLoad.Card> cards =
        CardLoad.cards().stream()
            .filter(
                card ->
                    place.cards().isEmpty()
                        || card.uuid().map(place.cards()::contains).orElse(true))
            .toList();
    int[][] loads = new int[cards.size()][LOOKS];
    for (int i = 0; i < LOOKS; i++) {
      for (int card = 0; card < cards.size(); card++) {
        loads[card][i] = cards.get(card).read().get().utilisation().orElse(0);
      }
      Thread.sleep(BETWEEN_MILLISECONDS);
    }
    List<CardUse> uses = CardUse.read();
    for (int card = 0; card < cards.size(); card++) {
      int usual = median(loads[card]);
      int index = cards.get(card).index();
      if (usual >= BUSY) {
        busy.add(
            new BusyCard(
                "GPU " + index,
                Optional.of(usual),
                uses.stream()
                    .filter(use -> use.index() == index)
                    .findFirst()
                    .map(CardUse::processes)
                    .orElse(Map.of())));
      }
    }
    return busy;
  }

  private static int median(int[] values) {
    int[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
