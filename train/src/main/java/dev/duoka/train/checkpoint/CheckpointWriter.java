package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.state.ShardedOptimizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Saves a run's state in the background: training stands still only while the state is copied into
 * host memory, which takes 12 bytes per weight, allocated once at the first save.
 *
 * <p>One write at a time; a save that comes before the last one is written waits for it. A failure
 * to save is reported to the listener and never stops the run. Shared by the ranks of a process;
 * the listener is called by the writing thread or by rank 0.
 *
 * <pre>{@code
 * try (CheckpointWriter writer = new CheckpointWriter(run, tokenizer, retention, listener)) {
 *   LocalRanks.run(2, world -> {
 *     ...
 *     writer.save(world, model, optimizer, state); // every rank, at the same step
 *   });
 * } // waits until the last checkpoint is on disk
 * }</pre>
 */
public final class CheckpointWriter implements AutoCloseable {
  private final CheckpointStore store;
  private final RetentionPolicy retention;
  private final Consumer<CheckpointEvent> listener;
  private final CheckpointFolderWriter folderWriter;
  private final AtomicReference<@Nullable Checkpoint> lastSaved = new AtomicReference<>();
  private @Nullable TrainingSnapshot snapshot;
  private @Nullable Thread writing;

  /**
   * A writer for a run's folder. Puts in order what an interrupted session left there.
   *
   * @param tokenizer goes into every checkpoint
   */
  public CheckpointWriter(
      Path runFolder,
      TokenizerFiles tokenizer,
      RetentionPolicy retention,
      Consumer<CheckpointEvent> listener) {
    this(runFolder, retention, listener, new CheckpointFolderWriter(tokenizer));
  }

  CheckpointWriter(
      Path runFolder,
      RetentionPolicy retention,
      Consumer<CheckpointEvent> listener,
      CheckpointFolderWriter folderWriter) {
    this.store = new CheckpointStore(runFolder);
    this.retention = retention;
    this.listener = listener;
    this.folderWriter = folderWriter;
    store.cleanUp(listener);
  }

  /**
   * Copies the state and starts to write it. Collective: all ranks of the process call it after the
   * same step, with their own model and optimizer and the same state.
   */
  public void save(
      Communicator world, LanguageModel model, ShardedOptimizer optimizer, TrainingState state) {
    double[] ready = {0};
    if (world.rank() == 0 && prepare(model, state.step())) {
      ready[0] = 1;
    }
    world.agreement().sum(ready);
    TrainingSnapshot target = snapshot;
    if (ready[0] == 0 || target == null) {
      return;
    }
    target.fill(model, optimizer);
    world.agreement().barrier();
    if (world.rank() == 0) {
      writing =
          Thread.ofPlatform()
              .name("checkpoint-writer")
              .daemon()
              .start(() -> write(target, state, System.nanoTime()));
    }
  }

  /** Returns when everything that was handed over is on disk, or has failed. Rank 0 only. */
  public void await() {
    Thread thread = writing;
    boolean interrupted = false;
    while (thread != null) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // Leaving now would let the next save overwrite what is being read.
      }
    }
    writing = null;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The newest checkpoint that this writer has completed. */
  public Optional<Checkpoint> lastSaved() {
    return Optional.ofNullable(lastSaved.get());
  }

  /** Waits for the last write and frees the snapshot; a second call does nothing. */
  @Override
  public void close() {
    await();
    if (snapshot != null) {
      snapshot.close();
      snapshot = null;
    }
  }

  /** Makes the snapshot's memory free to be filled; false when there is none to be had. */
  private boolean prepare(LanguageModel model, long step) {
    Thread last = writing;
    if (last != null && last.isAlive()) {
      long start = System.nanoTime();
      await();
      listener.accept(new CheckpointEvent.Waited(step, (System.nanoTime() - start) * 1e-9));
    }
    if (snapshot == null) {
      try {
        snapshot = new TrainingSnapshot(model);
      } catch (DuokaException e) {
        listener.accept(new CheckpointEvent.SaveFailed(step, e));
        return false;
      } catch (OutOfMemoryError e) {
        listener.accept(new CheckpointEvent.SaveFailed(step, outOfMemory(e)));
        return false;
      }
    }
    return true;
  }

  private void write(TrainingSnapshot source, TrainingState state, long start) {
    try {
      CheckpointFolderWriter.Result result = folderWriter.write(store.folder(), source, state);
      lastSaved.set(result.checkpoint());
      double seconds = (System.nanoTime() - start) * 1e-9;
      listener.accept(new CheckpointEvent.Saved(result.checkpoint(), result.bytes(), seconds));
      store.retain(retention, result.checkpoint(), listener);
    } catch (DuokaException e) {
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), e));
    } catch (OutOfMemoryError e) {
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), outOfMemory(e)));
    } catch (RuntimeException | Error e) { // nobody else would hear of an error on this thread
      DuokaException problem =
          new DuokaException(
              ErrorCode.IO, "saving failed: " + e, "This is an error of the program", e);
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), problem));
    }
  }

  private static DuokaException outOfMemory(OutOfMemoryError e) {
    return new DuokaException(
        ErrorCode.OUT_OF_MEMORY,
        "saving ran out of Java's memory (" + e.getMessage() + ")",
        "Give it more, for example DUOKA_JAVA_OPTIONS=-Xmx8g",
        e);
  }
}
