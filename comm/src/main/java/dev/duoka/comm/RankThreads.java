package dev.duoka.comm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** The platform threads of the ranks that a process holds. */
public final class RankThreads {
  private RankThreads() {}

  /**
   * Runs each rank on a thread of its own and returns when all have ended.
   *
   * @param first the first rank's number
   * @param body what a rank does; throws nothing
   * @param failed is told that a rank can have no thread; the later ones are not started then
   */
  public static void run(int first, int ranks, IntConsumer body, ObjIntConsumer<Throwable> failed) {
    List<Thread> threads = new ArrayList<>();
    for (int rank = first; rank < first + ranks; rank++) {
      int number = rank;
      try {
        threads.add(Thread.ofPlatform().name("rank-" + rank).start(() -> body.accept(number)));
      } catch (OutOfMemoryError e) { // no thread to be had: those that run must not wait for it
        failed.accept(e, rank);
        break;
      }
    }
    threads.forEach(RankThreads::join);
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
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
