package dev.duoka.experiment.trial;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A run file as it was when something began that takes long: it may be edited meanwhile. */
public final class CopiedRunFile {
  private CopiedRunFile() {}

  /** Makes the copy, and its folder. */
  public static void make(Path runFile, Path copy) {
    try {
      Files.createDirectories(copy.toAbsolutePath().getParent());
      CrashSafeFiles.write(copy, Files.readAllBytes(runFile));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot copy " + runFile + " to " + copy + ": " + IoReason.of(e),
          "Give another folder with --out",
          e);
    }
  }
}
