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

  /**
   * Makes the copy, and its folder.
   *
   * @throws DuokaException when something has that name already, which stays as it is, or the copy
   *     cannot be written
   */
  public static void make(Path runFile, Path copy) {
    try {
      write(Files.readAllBytes(runFile), copy);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot copy " + runFile + " to " + copy + ": " + IoReason.of(e),
          "Give another folder with --out",
          e);
    }
  }

  /**
   * The same of a run file that is in no file.
   *
   * @param content what it says
   */
  public static void write(byte[] content, Path copy) throws IOException {
    if (Files.exists(copy)) { // of an earlier trial, or the user's own
      throw new DuokaException(
          ErrorCode.USAGE,
          copy + " is there already, and is not written over",
          "Give another folder with --out");
    }
    Files.createDirectories(copy.toAbsolutePath().getParent());
    CrashSafeFiles.write(copy, content);
  }
}
