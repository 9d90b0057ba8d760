package dev.duoka.operations.cards;

import dev.duoka.machine.probe.CardLoad;
import java.io.IOException;
import java.util.List;

/**
 * The process that asks the cards for {@link CardProcess}: a line of JSON each second, until its
 * input ends.
 */
public final class CardsMain {
  /** Leaves out the cards' performance counters. */
  static final String NO_COUNTERS = "--no-counters";

  private static final long EVERY_MILLISECONDS = 1000;
  private static final long FIRST_MILLISECONDS = 50;
  private static final int FIRST_LOOKS = 40;

  private CardsMain() {}

  /** Asks; {@value #NO_COUNTERS} is the only argument that there may be. */
  public static void main(String[] arguments) throws InterruptedException {
    boolean counters = !List.of(arguments).contains(NO_COUNTERS);
    Thread.ofPlatform().daemon().name("input").start(CardsMain::endWithInput);
    CardWatch watch = new CardWatch(() -> CardLoad.cards(counters));
    for (int i = 0; i < FIRST_LOOKS && !haveAnswered(watch.cards()); i++) {
      Thread.sleep(FIRST_MILLISECONDS);
    }
    while (true) {
      System.out.println(CardsJson.of(watch.cards()));
      if (System.out.checkError()) {
        return; // nobody reads any more
      }
      Thread.sleep(EVERY_MILLISECONDS);
    }
  }

  /** Whoever looks once is not to wait for the next second. */
  private static boolean haveAnswered(List<CardWatch.Seen> seen) {
    return !seen.isEmpty() && seen.stream().noneMatch(card -> card.load().equals(CardLoad.UNKNOWN));
  }

  private static void endWithInput() {
    try {
      while (System.in.read() >= 0) {
        // nothing is said to it
      }
    } catch (IOException e) {
      // as good as its end
    }
    Runtime.getRuntime().halt(0); // a card that does not answer holds up an orderly end
  }
}
