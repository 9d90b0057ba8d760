package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * How process 0 learns that the others have written their files of a checkpoint: each leaves a
 * small file beside them, which says what they are or why there are none. None of these is left in
 * a complete checkpoint.
 */
final class CheckpointParts {
  private static final long PAUSE_MILLISECONDS = 20;

  private final Path folder;

  /** Those of a folder that is being written. */
  CheckpointParts(Path folder) {
    this.folder = folder;
  }

  private Path written(int process) {
    return folder.resolve("part-" + process + ".json");
  }

  private Path failed(int process) {
    return folder.resolve("part-" + process + ".failed");
  }

  /** Says that a process's files are there. */
  void done(int process, CheckpointManifest files) {
    CheckpointFiles.write(folder, fileName(written(process)), files.encode());
  }

  /** Says that they will not come; where even that cannot be written, the ranks say it. */
  void failed(int process, String problem) {
    try {
      CheckpointFiles.write(
          folder, fileName(failed(process)), problem.getBytes(StandardCharsets.UTF_8));
    } catch (DuokaException e) {
      // Whoever waits is told with the next agreement of the ranks.
    }
  }

  private static String fileName(Path file) {
    return String.valueOf(file.getFileName());
  }

  /**
   * Waits for the files of all others, and takes away what says that they are there.
   *
   * @param abandoned whether it is known that some will not come
   * @return sizes and hashes by name
   * @throws DuokaException when one of them could not write its files
   */
  Map<String, CheckpointManifest.Content> await(int processes, BooleanSupplier abandoned)
      throws IOException {
    Map<String, CheckpointManifest.Content> files = new TreeMap<>();
    for (int process = 1; process < processes; process++) {
      while (!Files.exists(written(process))) {
        boolean last = abandoned.getAsBoolean();
        if (Files.exists(failed(process))) {
          throw new DuokaException(
              ErrorCode.IO,
              "process " + process + " says: " + Files.readString(failed(process)),
              "");
        }
        if (last && !Files.exists(written(process))) {
          throw new DuokaException(
              ErrorCode.RANK_LOST, "process " + process + " has not written its files", "");
        }
        pause();
      }
      files.putAll(CheckpointManifest.read(folder, fileName(written(process))).files());
    }
    for (int process = 1; process < processes; process++) {
      Files.delete(written(process));
    }
    return files;
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(ErrorCode.IO, "interrupted while a checkpoint is written", "", e);
    }
  }
}
