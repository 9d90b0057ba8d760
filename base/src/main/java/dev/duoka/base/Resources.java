package dev.duoka.base;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What is closed together, the last first, whatever closing one of them throws. Serves objects that
 * allocate several things: a failure on the way frees those that are there.
 *
 * <pre>{@code
 * try (Resources made = new Resources()) {
 *   model = made.own(newModel());
 *   optimizer = made.own(newOptimizer(model)); // if this throws, the model is closed
 *   owned = made.release();                    // complete: nothing is closed here
 * }
 * }</pre>
 *
 * <p>One thread.
 */
public final class Resources implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();

  /** Takes over the duty to close {@code resource}, and returns it. */
  public <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  /** Hands everything on: this one has nothing left to close. */
  public Resources release() {
    Resources all = new Resources();
    all.owned.addAll(owned);
    owned.clear();
    return all;
  }

  /**
   * Closes all. The first failure is thrown when that is done, the others are suppressed in it; a
   * second call does nothing.
   *
   * @throws IllegalStateException around a checked exception
   */
  @Override
  public void close() {
    @Nullable RuntimeException first = null;
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        RuntimeException failure =
            e instanceof RuntimeException unchecked
                ? unchecked
                : new IllegalStateException("closing failed: " + e, e);
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
