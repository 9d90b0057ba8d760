package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Resources;
import dev.duoka.model.LanguageModel;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a {@link TrainingSnapshot} while it is allocated and its pages are locked, which
 * takes seconds for large models: threads of its own do that beside the run. Owns the snapshot.
 */
final class SnapshotMemory implements AutoCloseable {
  /** Of the processors, one in so many touches and locks pages. */
  private static final int PROCESSORS_EACH = 8;

  private static final int MOST_THREADS = 8;

  private final FutureTask<TrainingSnapshot> made;
  private final AtomicReference<@Nullable DuokaException> problem = new AtomicReference<>();

  /** Nobody wants it any more. */
  private volatile boolean isOver;

  private SnapshotMemory(LanguageModel model, ProcessShare share) {
    made = new FutureTask<>(() -> make(model, share));
  }

  /** Makes it on the calling thread, which its memory is counted for. */
  static SnapshotMemory now(LanguageModel model, ProcessShare share) {
    SnapshotMemory memory = new SnapshotMemory(model, share);
    memory.made.run();
    return memory;
  }

  /** Begins to make it on a thread of its own. */
  static SnapshotMemory begin(LanguageModel model, ProcessShare share) {
    SnapshotMemory memory = new SnapshotMemory(model, share);
    Thread.ofPlatform().name("checkpoint-memory").daemon().start(memory.made);
    return memory;
  }

  private TrainingSnapshot make(LanguageModel model, ProcessShare share) {
    try (Resources made = new Resources()) {
      TrainingSnapshot snapshot = made.own(new TrainingSnapshot(model, share));
      lock(snapshot, model.parameters().device());
      made.release();
      return snapshot;
    }
  }

  /** A piece that cannot be locked ends it: what is left is copied as any memory is. */
  private void lock(TrainingSnapshot snapshot, Device device) {
    Queue<Runnable> locks = new ConcurrentLinkedQueue<>(snapshot.locks(device));
    int count =
        Math.clamp(Runtime.getRuntime().availableProcessors() / PROCESSORS_EACH, 1, MOST_THREADS);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Math.min(count, locks.size()); i++) {
      threads.add(
          Thread.ofPlatform().name("checkpoint-memory-" + i).daemon().start(() -> take(locks)));
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      interrupted |= !joined(thread);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits in any case: what is being locked may not be freed. False after an interrupt. */
  private static boolean joined(Thread thread) {
    boolean calm = true;
    while (true) {
      try {
        thread.join();
        return calm;
      } catch (InterruptedException e) {
        calm = false;
      }
    }
  }

  private void take(Queue<Runnable> locks) {
    Runnable next = locks.poll();
    while (next != null && problem.get() == null && !isOver) {
      try {
        next.run();
      } catch (DuokaException e) {
        problem.compareAndSet(null, e);
      } catch (RuntimeException e) {
        problem.compareAndSet(
            null, new DuokaException(ErrorCode.IO, "locking memory failed: " + e, "", e));
      }
      next = locks.poll();
    }
  }

  /**
   * The snapshot, when it is ready; an interrupt does not end the wait.
   *
   * @throws DuokaException when there is no memory to be had
   */
  TrainingSnapshot await() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return made.get();
        } catch (InterruptedException e) {
          interrupted = true; // what is being made would have no owner
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof DuokaException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new DuokaException(
          ErrorCode.IO,
          "preparing memory for a checkpoint failed: " + e.getCause(),
          "This is an error of the program",
          e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Why not all of it is locked, which is asked once; empty where it is. */
  Optional<DuokaException> problem() {
    return Optional.ofNullable(problem.getAndSet(null));
  }

  /** Frees the snapshot, or what there is of it; nothing may be on its way to it. */
  @Override
  public void close() {
    isOver = true;
    TrainingSnapshot snapshot;
    try {
      snapshot = await();
    } catch (DuokaException | OutOfMemoryError e) {
      return; // whoever saved was told, and there is nothing to free
    }
    snapshot.close();
  }
}
