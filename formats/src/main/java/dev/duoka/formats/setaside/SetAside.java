package dev.duoka.formats.setaside;

import dev.duoka.base.CrashSafeFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The folder {@code set-aside} of a run's folder: what a run has taken back, in a folder for each
 * time that it went back. Each of them has the form of a run's folder, as far as it goes: {@code
 * metrics.jsonl}, {@code checkpoints/} and so on. Nothing in it is ever deleted by duoka.
 */
public final class SetAside {
  /** Within a run's folder. */
  public static final String FOLDER = "set-aside";

  /** What the name of a folder begins with that is not yet complete. */
  private static final String PREPARING = ".preparing-";

  private SetAside() {}

  /**
   * A folder that is not there yet, to be made by the caller.
   *
   * @param run the run's folder
   * @param name what it is called unless there is one of that name, which has {@code -2} and so on
   *     behind the next
   */
  public static Path fresh(Path run, String name) {
    Path folder = run.resolve(FOLDER);
    Path fresh = folder.resolve(name);
    for (int number = 2; Files.exists(fresh) || Files.exists(preparing(fresh)); number++) {
      fresh = folder.resolve(name + "-" + number);
    }
    return fresh;
  }

  /** Where a folder is filled until it is complete. */
  public static Path preparing(Path folder) {
    return folder.resolveSibling(PREPARING + folder.getFileName());
  }

  /**
   * Deletes folders that were being filled when something came between. One that holds more than
   * copies stays.
   *
   * @param isCopy whether a file of such a name is a copy, and may go
   */
  public static void deletePrepared(Path run, Predicate<String> isCopy) throws IOException {
    for (Path folder : list(run.resolve(FOLDER))) {
      boolean begun = String.valueOf(folder.getFileName()).startsWith(PREPARING);
      if (begun
          && list(folder).stream()
              .allMatch(file -> isCopy.test(String.valueOf(file.getFileName())))) {
        CrashSafeFiles.deleteTree(folder);
      }
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.toList();
    }
  }

  /**
   * Moves a checkpoint into such a folder; nothing happens where it has been moved already.
   *
   * @param checkpoint its folder within the run's
   * @param aside the folder that takes it up
   */
  public static void moveCheckpoint(Path checkpoint, Path aside) throws IOException {
    if (!Files.exists(checkpoint)) {
      return;
    }
    Path folder = Files.createDirectories(aside.resolve("checkpoints"));
    CrashSafeFiles.syncFolder(aside);
    CrashSafeFiles.moveIntoPlace(checkpoint, folder.resolve(checkpoint.getFileName()));
    Path from = checkpoint.toAbsolutePath().getParent();
    if (from != null) {
      CrashSafeFiles.syncFolder(from);
    }
  }
}
