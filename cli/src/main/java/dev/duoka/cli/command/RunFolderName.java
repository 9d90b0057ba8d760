package dev.duoka.cli.command;

import java.io.PrintWriter;
import java.nio.file.Files;
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
    return free(name(runFile) + "-" + now());
  }

  /** One of a kind, for example {@code runs/trial-quickstart-20260101-120000}. */
  static Path of(String kind, Path runFile) {
    return free(kind + "-" + name(runFile) + "-" + now());
  }

  /** Says where a command leaves what it measures, for whoever stops it. */
  static void announce(Path folder, PrintWriter err) {
    err.println("duoka: what is measured is written to " + folder);
    err.flush();
  }

  /** Another that began in the same second has a number less. */
  private static Path free(String name) {
    Path folder = Path.of("runs", name);
    for (int number = 2; Files.exists(folder); number++) {
      folder = Path.of("runs", name + "-" + number);
    }
    return folder;
  }

  private static String now() {
    return LocalDateTime.now(ZoneId.systemDefault()).format(TIME);
  }
}
