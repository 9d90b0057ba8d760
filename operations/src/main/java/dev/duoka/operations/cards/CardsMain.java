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

  private CardsMain() {}

  /** Asks; {@value #NO_COUNTERS} is the only argument that there may be. */
  public static void main(String[] arguments) throws InterruptedException {
    boolean counters = !List.of(arguments).contains(NO_COUNTERS);
    Thread.ofPlatform().daemon().name("input").start(CardsMain::endWithInput);
    CardWatch watch = new CardWatch(() -> CardLoad.cards(counters));
    while (true) {
      System.out.println(CardsJson.of(watch.cards()));
      if (System.out.checkError()) {
        return; // nobody reads any more
      }
      Thread.sleep(EVERY_MILLISECONDS);
    }
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
