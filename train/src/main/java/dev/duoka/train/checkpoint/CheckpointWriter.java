package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Resources;
import dev.duoka.base.Uninterruptibly;
import dev.duoka.comm.Communicator;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.op.HostTransfer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Saves a run's state in the background: what is on a GPU is copied into page-locked host memory
 * beside the next step, whose update waits for that, and written from there. The memory takes 12
 * bytes per weight that is trained and is allocated once: ahead of the first save ({@link
 * #prepareAhead}), or by it. Of several processes each copies and writes its share of the weights,
 * whichever ranks hold them; they stand still until the shares are exchanged.
 *
 * <p>One write at a time; a save that comes before the last one is written waits for it. A failure
 * to save is reported to the listener and never stops the run. Shared by the ranks of a process;
 * the listener is called by the writing thread or by the process's first rank.
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
  /** How long process 0 waits for the others' files when the run has ended otherwise. */
  private static final Duration LAST_WAIT = Duration.ofSeconds(5);

  /** How often ranks ask each other whether a write has ended. */
  private static final long PULSE_MILLISECONDS = 20;

  /** Seconds that a save may wait for its memory in silence. */
  private static final double WORTH_TELLING = 0.5;

  private final CheckpointStore store;
  private final RetentionPolicy retention;
  private final Consumer<CheckpointEvent> listener;
  private final CheckpointFolderWriter folderWriter;
  private final ProcessShare share;
  private final AtomicReference<@Nullable Checkpoint> lastSaved = new AtomicReference<>();
  private final Map<Integer, RankCopy> copies = new ConcurrentHashMap<>();
  private @Nullable SnapshotMemory memory;
  private @Nullable Thread writing;

  /** The step that is being written; 0 for none. Of the process's first rank. */
  private long handedOver;

  private volatile boolean failed;

  /** A rank's way of copying, and the end of its last copy. */
  private static final class RankCopy {
    final HostTransfer transfer;
    HostTransfer.Mark end = HostTransfer.Mark.NONE;

    RankCopy(Device device) {
      transfer = new HostTransfer(device);
    }
  }

  /** When process 0 no longer waits for the others' files, by {@link System#nanoTime}. */
  private volatile long lastWaitEnds;

  private volatile boolean waitEnds;

  /** The writer of a process that is alone. */
  public CheckpointWriter(
      Path runFolder,
      TokenizerFiles tokenizer,
      RetentionPolicy retention,
      Consumer<CheckpointEvent> listener) {
    this(runFolder, tokenizer, retention, ProcessShare.ALONE, listener);
  }

  /**
   * A writer for a run's folder. Puts in order what an interrupted session left there.
   *
   * @param tokenizer goes into every checkpoint
   * @param share which of the processes that write together this one is
   */
  public CheckpointWriter(
      Path runFolder,
      TokenizerFiles tokenizer,
      RetentionPolicy retention,
      ProcessShare share,
      Consumer<CheckpointEvent> listener) {
    this(runFolder, retention, listener, new CheckpointFolderWriter(tokenizer, share));
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
    this.share = folderWriter.share();
    if (share.isFirst()) {
      store.cleanUp(listener);
    }
  }

  /**
   * The elements that a process's copy holds of each of three states, at most.
   *
   * @param predictionDepth how many MTP modules are trained
   */
  public static long elementsOfCopy(ModelConfig model, int predictionDepth, int processes) {
    return largest(StateLayout.of(model, predictionDepth), processes);
  }

  /** As {@link #elementsOfCopy}, of frozen weights, which are copied in the compute dtype. */
  public static long frozenElementsOfCopy(ModelConfig model, int predictionDepth, int processes) {
    return largest(StateLayout.ofFrozen(model, predictionDepth), processes);
  }

  private static long largest(StateLayout layout, int processes) {
    return StateShare.of(layout, processes).stream()
        .mapToLong(StateShare::length)
        .max()
        .orElseThrow();
  }

  /**
   * Starts to allocate and lock the memory that a save copies into, which takes seconds for large
   * models, beside the run. What goes wrong is told by the first save. Not collective: all ranks
   * may call it, once.
   */
  public void prepareAhead(Communicator world, LanguageModel model) {
    if (share.isLead(world) && memory == null) {
      memory = SnapshotMemory.begin(model, share);
    }
  }

  /**
   * Copies the state and starts to write it. Collective: all ranks of the run call it after the
   * same step, with their own model and optimizer and the same state.
   */
  public void save(
      Communicator world, LanguageModel model, ShardedOptimizer optimizer, TrainingState state) {
    long start = System.nanoTime();
    if (settle(world) && world.rank() == 0) {
      waited(state.step(), start);
    }
    double[] ready = {0};
    if (share.isLead(world) && prepare(model, state.step())) {
      ready[0] = 1;
    }
    world.agreement().sum(ready);
    SnapshotMemory prepared = memory;
    if (ready[0] < share.processes() || prepared == null) {
      if (world.rank() == 0) {
        folderWriter.giveUp(store.folder(), state.step());
      }
      return;
    }
    TrainingSnapshot target = prepared.await();
    copy(world, model, optimizer, target);
    world.agreement().barrier();
    if (share.isLead(world)) {
      handedOver = state.step();
      failed = false;
      List<HostTransfer.Mark> ends = copies.values().stream().map(it -> it.end).toList();
      writing =
          Thread.ofPlatform()
              .name("checkpoint-writer")
              .daemon()
              .start(() -> write(target, ends, state, System.nanoTime()));
    }
  }

  /** Nobody else has this rank's copy; those of the save before have been written. */
  private void copy(
      Communicator world,
      LanguageModel model,
      ShardedOptimizer optimizer,
      TrainingSnapshot target) {
    RankCopy copy =
        copies.computeIfAbsent(world.rank(), _ -> new RankCopy(model.parameters().device()));
    copy.end.forget();
    copy.end = target.fill(model, optimizer, copy.transfer);
    optimizer.updateAfter(copy.end);
    if (!share.isAlone()) {
      copy.end.await();
      new StateExchange(world, share, target, model, optimizer, StateExchange.STRETCH).run();
    }
  }

  /**
   * Returns when all processes have written what was handed over, or have failed to; at once for a
   * process that is alone. As long as they write, none takes another one for lost. Collective.
   *
   * @return whether there was anything to wait for
   */
  public boolean settle(Communicator world) {
    if (share.isAlone()) {
      return false;
    }
    boolean waited = false;
    while (true) {
      Thread thread = writing;
      boolean speaks = share.isLead(world);
      double[] flags = {
        speaks && thread != null && thread.isAlive() ? 1 : 0, speaks && failed ? 1 : 0
      };
      world.agreement().sum(flags);
      if (speaks && flags[1] > 0) {
        waitNoLongerThan(Duration.ZERO);
      }
      if (flags[0] == 0) {
        if (speaks) {
          settled(flags[1] == 0);
        }
        return waited;
      }
      waited = true;
      pause();
    }
  }

  /** What was handed over is on disk, or not, everywhere. */
  private void settled(boolean complete) {
    await();
    if (handedOver > 0 && complete) {
      Path folder = store.folder().resolve(Checkpoint.name(handedOver));
      lastSaved.set(new Checkpoint(folder, handedOver));
    }
    handedOver = 0;
    failed = false;
    waitEnds = false;
  }

  private void waitNoLongerThan(Duration time) {
    lastWaitEnds = System.nanoTime() + time.toNanos();
    waitEnds = true;
  }

  private boolean isAbandoned() {
    return waitEnds && System.nanoTime() - lastWaitEnds >= 0;
  }

  private static void pause() {
    try {
      Thread.sleep(PULSE_MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(ErrorCode.IO, "interrupted while a checkpoint is written", "", e);
    }
  }

  /** Returns when everything that was handed over is on disk, or has failed. First rank only. */
  public void await() {
    Thread thread = writing;
    if (thread != null) {
      Uninterruptibly.join(thread); // leaving early would let the next save overwrite what is read
    }
    writing = null;
  }

  /** The newest checkpoint that this writer has completed. */
  public Optional<Checkpoint> lastSaved() {
    return Optional.ofNullable(lastSaved.get());
  }

  /** Waits for the last write and frees the snapshot; a second call does nothing. */
  @Override
  public void close() {
    waitNoLongerThan(LAST_WAIT);
    await();
    SnapshotMemory prepared = memory;
    memory = null;
    try (prepared;
        Resources transfers = new Resources()) {
      copies.values().forEach(copy -> transfers.own(copy.transfer));
      copies.clear();
    }
  }

  private void waited(long step, long start) {
    listener.accept(new CheckpointEvent.Waited(step, (System.nanoTime() - start) * 1e-9));
  }

  /** Makes the snapshot's memory free to be filled; false when there is none to be had. */
  private boolean prepare(LanguageModel model, long step) {
    Thread last = writing;
    if (last != null && last.isAlive()) {
      long start = System.nanoTime();
      await();
      waited(step, start);
    }
    try {
      await(model, step);
      if (share.isFirst()) {
        folderWriter.begin(store.folder(), step);
      }
      return true;
    } catch (DuokaException e) {
      listener.accept(new CheckpointEvent.SaveFailed(step, e));
    } catch (OutOfMemoryError e) {
      listener.accept(new CheckpointEvent.SaveFailed(step, outOfMemory(e)));
    }
    return false;
  }

  /** The memory that was begun to be prepared, or begins now. */
  private void await(LanguageModel model, long step) {
    SnapshotMemory begun = memory;
    boolean ahead = begun != null;
    if (begun == null) {
      begun = SnapshotMemory.now(model, share);
      memory = begun;
    }
    long start = System.nanoTime();
    boolean complete = false;
    try {
      begun.await();
      complete = true;
    } finally {
      if (!complete) {
        memory = null; // the next save tries again
      }
    }
    double seconds = (System.nanoTime() - start) * 1e-9;
    if (ahead && seconds > WORTH_TELLING) {
      listener.accept(new CheckpointEvent.WaitedForMemory(step, seconds));
    }
    begun
        .problem()
        .ifPresent(why -> listener.accept(new CheckpointEvent.MemoryNotLocked(step, why)));
  }

  private void write(
      TrainingSnapshot source, List<HostTransfer.Mark> ends, TrainingState state, long start) {
    boolean complete = false;
    try {
      ends.forEach(HostTransfer.Mark::await);
      if (share.isFirst()) {
        complete(source, state, start);
      } else {
        folderWriter.writePart(store.folder(), source, state.step());
      }
      complete = true;
    } catch (DuokaException e) {
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), e));
    } catch (OutOfMemoryError e) {
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), outOfMemory(e)));
    } catch (RuntimeException | Error e) { // nobody else would hear of an error on this thread
      DuokaException problem =
          new DuokaException(
              ErrorCode.IO, "saving failed: " + e, "This is an error of the program", e);
      listener.accept(new CheckpointEvent.SaveFailed(state.step(), problem));
    } finally {
      failed = !complete;
    }
  }

  private void complete(TrainingSnapshot source, TrainingState state, long start) {
    CheckpointFolderWriter.Result result =
        folderWriter.write(store.folder(), source, state, this::isAbandoned);
    lastSaved.set(result.checkpoint());
    double seconds = (System.nanoTime() - start) * 1e-9;
    listener.accept(new CheckpointEvent.Saved(result.checkpoint(), result.bytes(), seconds));
    store.retain(retention, result.checkpoint(), listener);
  }

  private static DuokaException outOfMemory(OutOfMemoryError e) {
    return new DuokaException(
        ErrorCode.OUT_OF_MEMORY,
        "saving ran out of Java's memory (" + e.getMessage() + ")",
        "Give it more, for example DUOKA_JAVA_OPTIONS=-Xmx8g",
        e);
  }
}
