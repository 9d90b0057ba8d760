package dev.duoka.train.run;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.snapshot.Rollback;
import dev.duoka.train.snapshot.RunFileNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The folder that a run writes: {@code run.yaml} (the resolved configuration), {@code
 * metrics.jsonl}, {@code checkpoints/}; locked while the run goes on.
 *
 * <p>Of several processes of a run the first one opens and locks it and writes all of these; the
 * others {@link #join} it, and write their ranks' ledgers and heartbeats, their logs and their part
 * of checkpoints.
 *
 * <p>Opening it changes nothing of a run that is there, but that a rollback which was interrupted
 * is finished: the rest is for {@link #begin}, once it is certain that the run can go on. A new
 * folder in which nothing was begun is deleted again.
 */
public final class RunFolder implements AutoCloseable {
  /** The resolved configuration, which {@code --resume} and other commands read. */
  public static final String CONFIG = RunFileNames.CONFIG;

  /** Where each rank is, as {@code duoka config --json} says it. */
  static final String PLACEMENT = RunFileNames.PLACEMENT;

  private final Path folder;
  private final boolean resume;
  private final boolean created;
  private final @Nullable RunLock lock;
  private volatile boolean begun; // read by every rank

  private RunFolder(Path folder, boolean resume, boolean created, @Nullable RunLock lock) {
    this.folder = folder;
    this.resume = resume;
    this.created = created;
    this.lock = lock;
  }

  /** Where a run's checkpoints are. */
  public static Path checkpoints(Path runDir) {
    return runDir.resolve(CheckpointStore.FOLDER);
  }

  /**
   * Makes the folder of a new run, or opens that of one to resume, and locks it.
   *
   * @throws DuokaException when a new run would overwrite another one, there is nothing to resume,
   *     or another process writes there
   */
  static RunFolder open(Path folder, boolean resume, Consumer<String> notice) {
    try {
      boolean there = Files.isDirectory(checkpoints(folder));
      if (!resume && there && !isEmpty(checkpoints(folder))) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            folder + " already holds the checkpoints of a run",
            "Add --resume to go on with it, or choose another --run-dir");
      }
      if (resume && !there) {
        throw new DuokaException(
            ErrorCode.CHECKPOINT,
            "there is nothing to resume: " + folder + " holds no checkpoints",
            "Leave out --resume, or name the run's folder with --run-dir");
      }
      boolean created = !Files.exists(folder);
      Files.createDirectories(folder);
      RunLock lock = RunLock.take(folder, notice);
      boolean opened = false;
      try {
        if (resume && Rollback.isPending(folder)) {
          notice.accept("a rollback was interrupted here and is finished first");
          Rollback.finish(folder, notice);
        }
        opened = true;
        return new RunFolder(folder, resume, created, lock);
      } finally {
        if (!opened) {
          lock.close();
        }
      }
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
  }

  /**
   * Takes the run of a folder back to an earlier step; see {@link Rollback}. Blocks as long as it
   * takes to read the checkpoint of that step.
   *
   * @param to the step; empty for where the newest snapshot before the last one ended
   * @param progress hears of each part that is done
   * @return empty when there was nothing to undo
   * @throws DuokaException when a process of the run is at work, or there is no such checkpoint
   */
  public static Optional<Rollback.Done> rollBack(
      Path folder, OptionalLong to, Consumer<String> progress) {
    if (!Files.isDirectory(checkpoints(folder))) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "there is nothing to go back to: " + folder + " holds no checkpoints",
          "Name the folder of a run that has saved");
    }
    try (RunLock _ = RunLock.take(folder, progress)) {
      return Rollback.carryOut(folder, to, progress);
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
  }

  /**
   * The folder that another process of the run has opened.
   *
   * @throws DuokaException when it cannot be seen from here
   */
  static RunFolder join(Path folder, boolean resume) {
    if (!Files.isDirectory(folder)) {
      throw new DuokaException(
          ErrorCode.IO,
          "the run folder " + folder + " of process 0 is not there for this process",
          "All processes of a run share it: choose one on a file system that all machines have,"
              + " with --run-dir");
    }
    return new RunFolder(folder, resume, false, null);
  }

  /** Where the run writes. */
  Path path() {
    return folder;
  }

  /** Whether the folder is this run's, and may be written to. */
  boolean isBegun() {
    return begun;
  }

  /** What a rank exchanges with the others. */
  Path ledger(int rank) {
    return folder.resolve("rank-" + rank + ".ledger");
  }

  /** What a rank is about. */
  Path heartbeat(int rank) {
    return folder.resolve("rank-" + rank + ".heartbeat");
  }

  /** Whether a run that is there goes on. */
  boolean isResumed() {
    return resume;
  }

  /** What differs between the configuration of the last session and this one's, line by line. */
  List<String> changes(RunConfig config) {
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file)) {
      return List.of("there is no " + file + " to compare this session's configuration with");
    }
    try {
      return RunFile.changes(RunFile.read(file, List.of()), config).stream()
          .filter(change -> !change.key().equals("run_dir"))
          .map(change -> "changed since the last session: " + change)
          .toList();
    } catch (DuokaException e) {
      return List.of("cannot compare with the last session's configuration: " + e.getMessage());
    }
  }

  /** Writes down the configuration; from here on the folder is this run's. */
  void begin(RunConfig config) {
    try {
      Files.createDirectories(checkpoints(folder));
      if (!resume) {
        Files.deleteIfExists(folder.resolve(MetricsFile.NAME));
        Files.deleteIfExists(folder.resolve(AnswersFile.NAME));
        Files.deleteIfExists(folder.resolve(PredictionFile.NAME));
      }
      CrashSafeFiles.write(
          folder.resolve(CONFIG), RunFile.write(config).getBytes(StandardCharsets.UTF_8));
      begun = true;
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
  }

  /**
   * Writes down what was predicted of the session that begins, unless the last one's prediction is
   * of the same step: none is ever changed.
   *
   * @param stepsBefore steps that the run has taken
   * @return the file's name and hash, in words
   */
  String predict(Prediction prediction, long stepsBefore) {
    Path file = folder.resolve(PredictionFile.name(stepsBefore));
    try {
      Optional<PredictionFile> last = lastPrediction();
      if (last.filter(it -> it.prediction().hasMemoryOf(prediction)).isPresent()) {
        return "the prediction of the first session holds, sha256 " + last.get().sha256();
      }
      return "predicted before the first step: "
          + file.getFileName()
          + ", sha256 "
          + PredictionFile.write(file, prediction);
    } catch (IOException e) {
      return "the prediction is not written, " + file + ": " + IoReason.of(e);
    }
  }

  /** Writes down where the ranks are; a view of the run that is lost costs nothing. */
  void place(ObjectNode placement) throws IOException {
    CrashSafeFiles.write(
        folder.resolve(PLACEMENT), Json.pretty(placement).getBytes(StandardCharsets.UTF_8));
  }

  /** Writes down what the sources are; a view of the run that is lost costs nothing. */
  void sources(ObjectNode report) throws IOException {
    CrashSafeFiles.write(
        folder.resolve(RunFileNames.SOURCES), Json.pretty(report).getBytes(StandardCharsets.UTF_8));
  }

  private Optional<PredictionFile> lastPrediction() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Optional<Path> newest =
          files
              .filter(file -> PredictionFile.stepsBefore(file).isPresent())
              .max(Comparator.comparing(file -> PredictionFile.stepsBefore(file).orElse(0L)));
      return newest.isEmpty()
          ? Optional.empty()
          : Optional.of(
              PredictionFile.parse(Files.readAllBytes(newest.get()), newest.get().toString()));
    } catch (DuokaException e) {
      return Optional.empty(); // it is damaged, and says nothing
    }
  }

  /** Another rank has written down the configuration. */
  void follow() {
    begun = true;
  }

  private static DuokaException cannotWrite(Path folder, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot write the run folder " + folder + ": " + IoReason.of(e),
        "Choose another place with --run-dir",
        e);
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  @Override
  public void close() {
    if (lock != null) {
      lock.close();
    }
    if (created && !begun) {
      try {
        Files.deleteIfExists(folder.resolve(RunLock.NAME));
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        throw cannotWrite(folder, e);
      }
    }
  }
}
