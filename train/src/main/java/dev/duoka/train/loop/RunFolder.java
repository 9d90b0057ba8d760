package dev.duoka.train.loop;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The folder that a run writes: {@code run.yaml} (the resolved configuration), {@code
 * metrics.jsonl}, {@code checkpoints/}.
 */
public final class RunFolder {
  /** The resolved configuration, which {@code --resume} and other commands read. */
  public static final String CONFIG = "run.yaml";

  private RunFolder() {}

  /** Where a run's checkpoints are. */
  public static Path checkpoints(Path runDir) {
    return runDir.resolve(CheckpointStore.FOLDER);
  }

  /**
   * Makes the folder of a new run, or checks that of one to resume.
   *
   * @throws DuokaException when a new run would overwrite another one
   */
  static void prepare(Path runDir, RunConfig config, boolean resume) {
    try {
      if (!resume && Files.isDirectory(checkpoints(runDir)) && !isEmpty(checkpoints(runDir))) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            runDir + " already holds the checkpoints of a run",
            "Add --resume to go on with it, or choose another --run-dir");
      }
      if (resume && !Files.isDirectory(checkpoints(runDir))) {
        throw new DuokaException(
            ErrorCode.CHECKPOINT,
            "there is nothing to resume: " + runDir + " holds no checkpoints",
            "Leave out --resume, or name the run's folder with --run-dir");
      }
      Files.createDirectories(checkpoints(runDir));
      if (!resume) {
        Files.deleteIfExists(runDir.resolve(MetricsFile.NAME));
      }
      CrashSafeFiles.write(
          runDir.resolve(CONFIG), RunFile.write(config).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the run folder " + runDir + ": " + e.getMessage(),
          "Choose another place with --run-dir",
          e);
    }
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }
}
