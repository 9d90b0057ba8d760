package dev.duoka.tensor.op;

import dev.duoka.base.Resources;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * Things that are dear to make: each is taken by one user at a time, and given back for the next.
 * All that were made are closed together. Thread-safe.
 */
final class Reused<T extends AutoCloseable> implements AutoCloseable {
  private final Supplier<T> maker;
  private final Deque<T> free = new ArrayDeque<>();
  private final Resources made = new Resources();
  private boolean closed;

  /** Those of a maker, which is asked when none is free. */
  Reused(Supplier<T> maker) {
    this.maker = maker;
  }

  /**
   * One that nobody else has.
   *
   * @throws IllegalStateException when all are closed
   */
  synchronized T take() {
    if (closed) {
      throw new IllegalStateException("taken after the end");
    }
    return free.isEmpty() ? made.own(maker.get()) : free.pop();
  }

  /** Gives one back that was taken; after the end it does nothing. */
  synchronized void giveBack(T one) {
    if (!closed) {
      free.push(one);
    }
  }

  /** Closes all that were made, also those that were not given back. */
  @Override
  public synchronized void close() {
    closed = true;
    free.clear();
    made.close();
  }
}
