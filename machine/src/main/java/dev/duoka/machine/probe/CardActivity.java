package dev.duoka.machine.probe;

import java.util.Optional;

/**
 * What the parts of a card did since it was asked the last time, by its own counters, which Hopper
 * and later have.
 *
 * @param multiprocessors per cent of their time in which they had something to do
 * @param tensorCores per cent of their time in which they computed
 * @param memory per cent of the memory's highest rate
 */
public record CardActivity(
    Optional<Double> multiprocessors, Optional<Double> tensorCores, Optional<Double> memory) {
  /** Of a card that tells nothing of it. */
  public static final CardActivity UNKNOWN =
      new CardActivity(Optional.empty(), Optional.empty(), Optional.empty());
}
