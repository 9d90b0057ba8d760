package dev.duoka.operations.cards;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.CardUse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Looks whether anybody else uses the cards of a run. The driver is asked on a thread that is given
 * up when it does not answer: on a lost card it may never.
 */
public final class CardGuard {
  private static final long LIMIT_SECONDS = 10;

  /** What a driver without processes may hold of a card. */
  private static final long DRIVERS_OWN = 1L << 30;

  private final List<String> cards;
  private final Supplier<List<CardUse>> probe;

  /**
   * A guard.
   *
   * @param cards those of the run, by number or by the beginning of their identity, as in {@code
   *     CUDA_VISIBLE_DEVICES}
   */
  public CardGuard(List<String> cards) {
    this(cards, CardUse::read);
  }

  CardGuard(List<String> cards, Supplier<List<CardUse>> probe) {
    this.cards = List.copyOf(cards);
    this.probe = probe;
  }

  /** Who uses the run's cards, a line for each; empty when they are free. */
  public List<String> users() throws InterruptedException {
    if (cards.isEmpty()) {
      return List.of();
    }
    CompletableFuture<List<CardUse>> answer = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("cards")
        .start(
            () -> {
              try {
                answer.complete(probe.get());
              } catch (RuntimeException e) {
                answer.completeExceptionally(e);
              }
            });
    try {
      List<String> users = new ArrayList<>();
      for (CardUse card : answer.get(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        if (isOurs(card)) {
          users.addAll(users(card));
        }
      }
      return users;
    } catch (TimeoutException e) {
      return List.of(
          "the driver has not answered for "
              + LIMIT_SECONDS
              + " s, as when a card is lost: see"
              + " duoka doctor");
    } catch (ExecutionException e) {
      return List.of("the cards cannot be looked at: " + e.getCause());
    }
  }

  private boolean isOurs(CardUse card) {
    return cards.stream()
        .anyMatch(
            name ->
                name.equals(String.valueOf(card.index()))
                    || (name.startsWith("GPU-") && card.uuid().startsWith(name)));
  }

  private static List<String> users(CardUse card) {
    List<String> users = new ArrayList<>();
    for (Map.Entry<Long, Long> process : new TreeMap<>(card.processes()).entrySet()) {
      users.add(
          "GPU "
              + card.index()
              + ": process "
              + process.getKey()
              + owner(process.getKey())
              + (process.getValue() < 0 ? "" : " holds " + ByteSize.text(process.getValue())));
    }
    if (users.isEmpty() && card.bytes() > DRIVERS_OWN) {
      users.add(
          "GPU "
              + card.index()
              + ": "
              + ByteSize.text(card.bytes())
              + " are in use by processes that cannot be seen from here");
    }
    return users;
  }

  private static String owner(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().user())
        .map(user -> " of " + user)
        .orElse("");
  }
}
