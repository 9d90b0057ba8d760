package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One side of a trial.
 *
 * @param name for people and folders
 * @param overrides of the run file, {@code KEY=VALUE} each
 * @param ranks how many train
 * @param run the run's folder
 */
public record Arm(String name, List<String> overrides, int ranks, Path run) {
  public Arm {
    overrides = List.copyOf(overrides);
  }

  public Path metrics() {
    return run.resolve("metrics.jsonl");
  }

  /** Beside the run's folder: what its process prints. */
  public Path output() {
    return run.resolveSibling(name + "-output");
  }

  /**
   * Makes its folder.
   *
   * @throws DuokaException when it is there or cannot be made
   */
  public void makeFolder() {
    try {
      Files.createDirectories(run.toAbsolutePath().getParent());
      Files.createDirectory(run);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot make the folder " + run + ": " + IoReason.of(e),
          "Give another with --out",
          e);
    }
  }

  /** The same in another place. */
  Arm in(Path folder) {
    return new Arm(name, overrides, ranks, folder.resolve(name));
  }
}
