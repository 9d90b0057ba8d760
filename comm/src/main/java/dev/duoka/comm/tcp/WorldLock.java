package dev.duoka.comm.tcp;

import java.util.function.BooleanSupplier;

/**
 * The lock of a {@link TcpWorld} as the world's parts see it: they never take it, for whoever calls
 * them holds it, but they wait under it and say that something has changed.
 *
 * <p>A wait lets go of the lock: what the caller has read before may be otherwise afterwards. Ranks
 * wait; threads of connections never do.
 */
final class WorldLock {
  /** Some conditions come true by the clock, and nobody says so. */
  private static final long LOOK_MILLISECONDS = 30;

  private final Object world;

  /**
   * The lock as a part sees it.
   *
   * @param world whose monitor it is
   */
  WorldLock(Object world) {
    this.world = world;
  }

  /** Something that others may wait for has changed. */
  void changed() {
    world.notifyAll();
  }

  /** Waits for a change, but no longer than so; the caller looks again in a loop. */
  @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
  void awaitChange(long milliseconds) throws InterruptedException {
    world.wait(milliseconds);
  }

  /** Waits until a condition holds; an interrupt is kept for later. */
  void awaitInAnyCase(BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      try {
        world.wait(LOOK_MILLISECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
