package dev.duoka.cli.command;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The usual folders of what is run from a run file. */
final class RunFolderName {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

  private RunFolderName() {}

  /** The run file's name without its ending. */
  static String name(Path runFile) {
    return String.valueOf(runFile.getFileName()).replaceFirst("\\.ya?ml$", "");
  }

  /** A folder of now, for example {@code runs/quickstart-20260101-120000}. */
  static Path of(Path runFile) {
    return Path.of("runs", name(runFile) + "-" + now());
  }

  /** One of a kind, for example {@code runs/trial-quickstart-20260101-120000}. */
  static Path of(String kind, Path runFile) {
    return Path.of("runs", kind + "-" + name(runFile) + "-" + now());
  }

  private static String now() {
    return LocalDateTime.now(ZoneId.systemDefault()).format(TIME);
  }
}
