package dev.duoka.experiment.trial;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A run file into which a change is written; the file as it was stays beside it. */
public final class KeptRunFile {
  private KeptRunFile() {}

  /**
   * Writes the changed run file, resolved and without comments, in the place of the old one.
   *
   * @param tried the copy that was tried; the run file must not have been edited since
   * @param change {@code KEY=VALUE} each
   * @return where the old one is now
   */
  public static Path write(Path runFile, Path tried, List<String> change) {
    try {
      Path file = runFile.toRealPath();
      byte[] old = Files.readAllBytes(file);
      if (Files.mismatch(file, tried) != -1) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            runFile + " was edited since it was tried, which was " + tried,
            "Set " + String.join(", ", change) + " by hand, or try it once more");
      }
      String changed = RunFile.write(RunFile.read(file, change));
      Path before = file.resolveSibling(file.getFileName() + ".before");
      for (int number = 2; Files.exists(before); number++) {
        before = file.resolveSibling(file.getFileName() + ".before-" + number);
      }
      CrashSafeFiles.write(before, old);
      CrashSafeFiles.write(file, changed.getBytes(StandardCharsets.UTF_8));
      return before;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the change into " + runFile + ": " + IoReason.of(e),
          "Check that its folder is writable; the file is as it was",
          e);
    }
  }
}
