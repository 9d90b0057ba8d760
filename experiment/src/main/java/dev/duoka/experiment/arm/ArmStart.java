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
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The checkpoint that all arms start from: they get hard links of its files, which nobody changes,
 * or copies where the file system has no such links.
 *
 * @param run whose it is
 */
public record ArmStart(Path run, Checkpoint checkpoint) {
  /**
   * Finds it.
   *
   * @param step which one; empty for the newest
   * @throws DuokaException when it is not there
   */
  public static ArmStart of(Path run, Optional<Long> step) {
    List<Checkpoint> all = new CheckpointStore(run).list();
    return all.stream()
        .filter(checkpoint -> step.isEmpty() || checkpoint.step() == step.get())
        .findFirst()
        .map(checkpoint -> new ArmStart(run, checkpoint))
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CHECKPOINT,
                    "run " + run + " has no checkpoint" + step.map(n -> " of step " + n).orElse(""),
                    all.isEmpty()
                        ? "Leave out --from to start from the first weights"
                        : "It has those of the steps "
                            + all.stream().map(it -> String.valueOf(it.step())).toList()));
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
