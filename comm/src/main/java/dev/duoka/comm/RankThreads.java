package dev.duoka.comm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** The platform threads of the ranks that a process holds. */
public final class RankThreads {
  /** How often it looks whether the ranks have failed while one still runs. */
  private static final long LOOK_MILLISECONDS = 100;

  private RankThreads() {}

  /**
   * Runs each rank on a thread of its own and returns when all have ended, or when what they do has
   * failed and some do not end: those are left behind, and their threads end with the process.
   *
   * @param first the first rank's number
   * @param body what a rank does; throws nothing
   * @param failed is told that a rank can have no thread; the later ones are not started then
   * @param hasFailed whether the others have been told to end
   * @param patience how long a rank may take for that
   * @return whether all have ended
   */
  public static boolean run(
      int first,
      int ranks,
      IntConsumer body,
      ObjIntConsumer<Throwable> failed,
      BooleanSupplier hasFailed,
      Duration patience) {
    List<Thread> threads = new ArrayList<>();
    for (int rank = first; rank < first + ranks; rank++) {
      int number = rank;
      try {
        threads.add(
            Thread.ofPlatform().daemon().name("rank-" + rank).start(() -> body.accept(number)));
      } catch (OutOfMemoryError e) { // no thread to be had: those that run must not wait for it
        failed.accept(e, rank);
        break;
      }
    }
    boolean interrupted = false;
    long failedSince = 0;
    boolean left = false;
    for (Thread thread : threads) {
      while (thread.isAlive() && !left) {
        try {
          thread.join(Duration.ofMillis(LOOK_MILLISECONDS));
        } catch (InterruptedException e) {
          interrupted = true;
        }
        if (!hasFailed.getAsBoolean()) {
          failedSince = 0; // not yet, or they have taken it back
        } else {
          long now = System.nanoTime();
          failedSince = failedSince == 0 ? now : failedSince;
          left = now - failedSince > patience.toNanos();
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return threads.stream().noneMatch(Thread::isAlive);
  }

  /** Throws what ended the run, if anything did. */
  public static void throwIfFailed(@Nullable Throwable failure) {
    switch (failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }
}
