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
import java.util.function.Supplier;

/**
 * Looks whether cards, or the processors of a rung on the CPU, rest while nothing of the ladder
 * runs on them.
 *
 * @param cards asks the driver for all cards
 * @param uses asks it who uses them
 * @param rest until what an arm has done there is no longer in the driver's figures
 * @param between two looks
 * @param answer how long the driver may take for all of them
 */
record RestingCards(
    Supplier<List<CardLoad.Card>> cards,
    Supplier<List<CardUse>> uses,
    Duration rest,
    Duration between,
    Duration answer) {
  private static final int LOOKS = 6;

  /** Per cent: a desktop draws now and then, a program that computes does not stop. */
  private static final int BUSY = 10;

  /** Those of this machine. */
  static RestingCards here() {
    return new RestingCards(
        () -> CardLoad.cards(false),
        CardUse::read,
        Duration.ofMillis(1500),
        Duration.ofMillis(250),
        Duration.ofSeconds(20));
  }

  /** Those of a rung that are busy in most looks, or do not answer. */
  List<BusyCard> busy(RungPlace place) throws InterruptedException {
    Thread.sleep(rest);
    if (!place.isOnCards()) {
      return HostLoad.read(between.multipliedBy(LOOKS)).filter(load -> load >= BUSY).stream()
          .map(load -> new BusyCard(BusyCard.CPU, Optional.of(load), Map.of()))
          .toList();
    }
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
    if (!look.join(answer)) {
      look.interrupt();
      return List.of(new BusyCard("a card", Optional.empty(), Map.of()));
    }
    return Optional.ofNullable(seen.get())
        .orElseThrow(() -> new IllegalStateException("cards could not be looked at"));
  }

  private List<BusyCard> look(RungPlace place) throws InterruptedException {
    List<CardLoad.Card> own =
        cards.get().stream()
            .filter(card -> place.cards().isEmpty() || card.uuid().stream().allMatch(place::has))
            .toList();
    int[][] loads = new int[own.size()][LOOKS];
    for (int i = 0; i < LOOKS; i++) {
      for (int card = 0; card < own.size(); card++) {
        loads[card][i] = own.get(card).read().get().utilisation().orElse(0);
      }
      Thread.sleep(between);
    }
    List<BusyCard> busy = new ArrayList<>();
    for (int card = 0; card < own.size(); card++) {
      int usual = median(loads[card]);
      if (usual >= BUSY) {
        int index = own.get(card).index();
        busy.add(new BusyCard("GPU " + index, Optional.of(usual), processes(index)));
      }
    }
    return busy;
  }

  private Map<Long, Long> processes(int index) {
    return uses.get().stream()
        .filter(use -> use.index() == index)
        .findFirst()
        .map(CardUse::processes)
        .orElse(Map.of());
  }

  private static int median(int[] values) {
    int[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
