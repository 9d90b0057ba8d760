package dev.duoka.operations.watch;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** Saves what is known of a run for those who look at it elsewhere. */
public final class SavedRun {
  private SavedRun() {}

  /**
   * Saves a run's page as one file.
   *
   * @param withText whether the log, and what the supervisor has said, are in it
   * @throws DuokaException when there is such a file, or it cannot be written
   */
  public static void html(WatchedRun run, Path file, boolean withText) {
    refuse(file);
    try {
      CrashSafeFiles.write(file, SavedPage.of(run, withText).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  /**
   * Saves a run's measures as an event file of TensorBoard.
   *
   * @param folder for TensorBoard's {@code --logdir}
   * @return the file
   * @throws DuokaException when it cannot be written
   */
  public static Path events(WatchedRun run, Path folder) {
    try {
      return run.history().with(series -> written(folder, series));
    } catch (UncheckedIOException e) {
      throw cannotWrite(folder, Objects.requireNonNull(e.getCause()));
    }
  }

  private static Path written(Path folder, Map<String, Series> series) {
    try {
      return EventFile.write(folder, series);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refuse(Path file) {
    if (Files.exists(file)) {
      throw new DuokaException(
          ErrorCode.USAGE, file + " is there already", "Name another file, or delete it");
    }
  }

  private static DuokaException cannotWrite(Path file, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot write " + file + ": " + IoReason.of(e),
        "Choose another place",
        e);
  }
}
