package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The checkpoint that all arms start from: they get hard links of its files, which nobody changes,
 * or copies where the file system has no such links.
 *
 * @param run whose it is
 */
public record ArmStart(Path run, Checkpoint checkpoint) {
  /**
   * Finds it, and reads it to see that it is whole.
   *
   * @param step which one; empty for the newest that is whole
   * @param notice hears of damaged ones
   * @throws DuokaException when it is not there
   */
  public static ArmStart of(Path run, Optional<Long> step, Consumer<String> notice) {
    CheckpointStore store = new CheckpointStore(run);
    Checkpoint checkpoint =
        step.isPresent()
            ? store.require(step.get())
            : store
                .latestValid(event -> notice.accept(event.text()))
                .orElseThrow(
                    () ->
                        new DuokaException(
                            ErrorCode.CHECKPOINT,
                            "run " + run + " has no whole checkpoint",
                            "Leave out --from to start from the first weights"));
    return new ArmStart(run, checkpoint);
  }

  /** Lays the checkpoint into an arm's folder, which then goes on from it. */
  public void into(Path arm) {
    Path from = checkpoint.folder();
    Path to = RunFolder.checkpoints(arm).resolve(from.getFileName());
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          link(file, target);
        }
      }
      Files.copy(run.resolve(RunFolder.CONFIG), arm.resolve(RunFolder.CONFIG));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot lay checkpoint " + from + " into " + arm + ": " + IoReason.of(e),
          "Check that it is there and that the disk has room, or give another folder with --out",
          e);
    }
  }

  private static void link(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file);
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(file, target);
    }
  }
}
