package dev.duoka.train.checkpoint;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The checkpoints of a run, as they are on disk. */
public final class CheckpointStore {
  /** The folder of checkpoints within a run's folder. */
  public static final String FOLDER = "checkpoints";

  /** A folder that is being deleted. */
  private static final String DELETING = ".deleting-";

  /** What the name of a checkpoint ends with after resuming found it damaged. */
  private static final String DAMAGED = ".damaged";

  private final Path runFolder;
  private final Path folder;

  /** The checkpoints of a run, which may have none yet. */
  public CheckpointStore(Path runFolder) {
    this.runFolder = runFolder;
    this.folder = runFolder.resolve(FOLDER);
  }

  /** The run's folder. */
  public Path runFolder() {
    return runFolder;
  }

  /** Where the checkpoints are. */
  Path folder() {
    return folder;
  }

  /** All checkpoints, newest first, damaged ones included. */
  public List<Checkpoint> list() {
    return entries().stream()
        .flatMap(path -> Checkpoint.at(path).stream())
        .filter(checkpoint -> Files.isDirectory(checkpoint.folder()))
        .sorted(Comparator.comparingLong(Checkpoint::step).reversed())
        .toList();
  }

  /**
   * The newest checkpoint of which every byte is as it was written; damaged ones before it are
   * reported, file by file. Reads all of its files.
   *
   * @throws DuokaException if a later version of the program wrote one that comes before it
   */
  public Optional<Checkpoint> latestValid(Consumer<CheckpointEvent> listener) {
    for (Checkpoint checkpoint : list()) {
      List<CheckpointEvent.Damaged> damages = CheckpointCheck.contents(checkpoint);
      if (damages.isEmpty()) {
        return Optional.of(checkpoint);
      }
      damages.forEach(listener);
    }
    return Optional.empty();
  }

  /**
   * The checkpoint of a step, every byte of which is as it was written. Reads all of its files.
   *
   * @throws DuokaException {@code CHECKPOINT} when there is none, which names those that there are,
   *     or it is damaged
   */
  public Checkpoint require(long step) {
    List<Checkpoint> all = list();
    Checkpoint found =
        all.stream()
            .filter(checkpoint -> checkpoint.step() == step)
            .findFirst()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.CHECKPOINT,
                        "there is no checkpoint of step " + step + " in " + folder,
                        all.isEmpty()
                            ? "The run has none"
                            : "There are those of steps "
                                + all.reversed().stream()
                                    .map(checkpoint -> String.valueOf(checkpoint.step()))
                                    .collect(Collectors.joining(", "))
                                + "; checkpoint.keep and checkpoint.keep_every say which are"
                                + " kept"));
    List<CheckpointEvent.Damaged> damages = CheckpointCheck.contents(found);
    if (!damages.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT, damages.getFirst().text(), "Choose the checkpoint of another step");
    }
    return found;
  }

  /**
   * Gives the damaged checkpoints that are newer than {@link #latestValid} another name, so that a
   * run which goes on from there neither counts nor meets them again.
   *
   * @param valid the step that the run goes on from
   */
  public void setAsideAfter(long valid, Consumer<CheckpointEvent> listener) {
    list().stream()
        .filter(checkpoint -> checkpoint.step() > valid)
        .forEach(checkpoint -> setAside(checkpoint, listener));
  }

  private void setAside(Checkpoint damaged, Consumer<CheckpointEvent> listener) {
    String name = damaged.folder().getFileName() + DAMAGED;
    Path aside = folder.resolve(name);
    for (int number = 2; Files.exists(aside); number++) {
      aside = folder.resolve(name + "-" + number);
    }
    try {
      CrashSafeFiles.moveIntoPlace(damaged.folder(), aside);
      listener.accept(new CheckpointEvent.SetAside(damaged, aside));
    } catch (IOException e) {
      listener.accept(new CheckpointEvent.NotDeleted(damaged.folder(), IoReason.of(e)));
    }
  }

  /**
   * The folder to load a model from.
   *
   * @param path a run's folder, of which the newest valid checkpoint is taken; a checkpoint; or any
   *     folder in Hugging Face's form
   */
  public static Path resolve(Path path, Consumer<CheckpointEvent> listener) {
    if (!Files.isDirectory(path)) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot load a model from "
              + path
              + (Files.exists(path) ? ": it is a file, not a folder" : ": there is no such folder"),
          "Give the folder of a run, of a checkpoint or of a Hugging Face model");
    }
    if (Files.exists(path.resolve(CheckpointFiles.MANIFEST))) {
      Checkpoint checkpoint = Checkpoint.at(path).orElseGet(() -> new Checkpoint(path, 0));
      List<CheckpointEvent.Damaged> damages = CheckpointCheck.contents(checkpoint);
      if (!damages.isEmpty()) {
        throw new DuokaException(
            ErrorCode.CHECKPOINT, damages.getFirst().text(), "Use another checkpoint of the run");
      }
      return path;
    }
    CheckpointStore store = new CheckpointStore(path);
    if (!Files.isDirectory(store.folder)) {
      return path;
    }
    return store
        .latestValid(listener)
        .map(Checkpoint::folder)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CHECKPOINT,
                    "the run " + path + " has no complete checkpoint",
                    "Train it to its first checkpoint; checkpoint.every_steps says when"));
  }

  /**
   * Finishes or undoes what an interrupted process began here. Only for who holds the run's lock.
   */
  public void cleanUp(Consumer<CheckpointEvent> listener) {
    for (Path path : entries()) {
      String name = String.valueOf(path.getFileName());
      try {
        if (name.startsWith(CheckpointFolderWriter.REPLACED)) {
          Path original =
              path.resolveSibling(name.substring(CheckpointFolderWriter.REPLACED.length()));
          if (Files.exists(original)) {
            CrashSafeFiles.deleteTree(path);
          } else {
            CrashSafeFiles.moveIntoPlace(path, original);
          }
          listener.accept(new CheckpointEvent.CleanedUp(path));
        } else if (name.startsWith(CheckpointFolderWriter.WRITING) || name.startsWith(DELETING)) {
          CrashSafeFiles.deleteTree(path);
          listener.accept(new CheckpointEvent.CleanedUp(path));
        }
      } catch (IOException e) {
        listener.accept(new CheckpointEvent.NotDeleted(path, e.toString()));
      }
    }
  }

  /**
   * Deletes what the policy does not keep. Checkpoints that are evidently damaged neither count nor
   * go, and the one just saved stays in any case.
   */
  void retain(RetentionPolicy policy, Checkpoint saved, Consumer<CheckpointEvent> listener) {
    List<Checkpoint> usable = list().stream().filter(CheckpointStore::isUsable).toList();
    for (Checkpoint checkpoint : policy.superfluous(usable)) {
      if (!checkpoint.equals(saved)) {
        delete(checkpoint, listener);
      }
    }
  }

  private static boolean isUsable(Checkpoint checkpoint) {
    try {
      return CheckpointCheck.sizes(checkpoint).isEmpty();
    } catch (NewerCheckpointException e) {
      return false; // not this version's to count or to delete
    }
  }

  /** Renamed first: a folder that is half deleted must not look like a checkpoint. */
  private void delete(Checkpoint checkpoint, Consumer<CheckpointEvent> listener) {
    Path doomed = folder.resolve(DELETING + checkpoint.folder().getFileName());
    try {
      CrashSafeFiles.deleteTree(doomed);
      Files.move(checkpoint.folder(), doomed, StandardCopyOption.ATOMIC_MOVE);
      CrashSafeFiles.deleteTree(doomed);
    } catch (IOException e) {
      listener.accept(new CheckpointEvent.NotDeleted(checkpoint.folder(), e.toString()));
    }
  }

  private List<Path> entries() {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      stream.forEach(entries::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot list " + folder + ": " + IoReason.of(e),
          "Check that it is readable",
          e);
    }
    return entries;
  }
}
