package dev.duoka.engine.parallel;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the ranks of one process, each on a platform thread of its own. */
public final class RankGroup {
  /** What one rank does. */
  @FunctionalInterface
  public interface RankBody {
    /** Runs on the rank's thread. */
    void run(Collectives collectives) throws Exception;
  }

  private RankGroup() {}

  /**
   * Runs {@code body} on {@code size} ranks and returns when all are done. A group of one runs on
   * the calling thread.
   *
   * @throws RuntimeException the first failure of a rank; the others were stopped by it
   */
  public static void run(int size, RankBody body) {
    if (size == 1) {
      runSingle(body);
      return;
    }
    ThreadCollectives.Shared shared = new ThreadCollectives.Shared(size);
    List<Thread> threads = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      int number = rank;
      threads.add(
          Thread.ofPlatform()
              .name("rank-" + rank)
              .start(() -> runRank(new ThreadCollectives(number, shared), shared, body)));
    }
    threads.forEach(RankGroup::join);
    throwIfFailed(shared.rendezvous.failure());
  }

  private static void runSingle(RankBody body) {
    try {
      body.run(new SingleRank());
    } catch (Exception e) {
      throwIfFailed(e);
    }
  }

  private static void runRank(
      ThreadCollectives collectives, ThreadCollectives.Shared shared, RankBody body) {
    try {
      body.run(collectives);
      shared.rendezvous.leave(collectives.rank());
    } catch (Throwable t) { // whatever it is, the other ranks must not wait for this one
      shared.rendezvous.breakBecauseOf(collectives.rank(), t);
    }
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

  private static void throwIfFailed(@Nullable Throwable failure) {
    switch (failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }
}
