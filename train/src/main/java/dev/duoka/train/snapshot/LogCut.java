package dev.duoka.train.snapshot;

import dev.duoka.base.CrashSafeFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Parts a {@code run.log} where the checkpoint of a step was saved for the last time. Where the log
 * does not say that, all of it counts as before.
 */
final class LogCut {
  private LogCut() {}

  /** Writes the lines after that into another file, durably. */
  static void copyAfter(Path log, long step, Path target) throws IOException {
    List<String> lines = lines(log);
    Files.write(target, lines.subList(end(lines, step), lines.size()), StandardCharsets.ISO_8859_1);
    CrashSafeFiles.syncFile(target);
  }

  /**
   * Keeps the lines up to that, and says why there are no more.
   *
   * @param last the line to end with, without its time; not added to one that ends with it
   */
  static void keepUpTo(Path log, long step, String last) throws IOException {
    if (!Files.exists(log)) {
      return;
    }
    List<String> lines = lines(log);
    if (!lines.isEmpty() && lines.getLast().endsWith(last)) {
      return;
    }
    List<String> kept = new ArrayList<>(lines.subList(0, end(lines, step)));
    kept.add(Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + last);
    CrashSafeFiles.write(
        log, (String.join("\n", kept) + "\n").getBytes(StandardCharsets.ISO_8859_1));
  }

  private static int end(List<String> lines, long step) {
    String saved = String.format(Locale.ROOT, "/step-%08d (", step);
    for (int i = lines.size() - 1; i >= 0; i--) {
      if (lines.get(i).contains(" saved ") && lines.get(i).contains(saved)) {
        return i + 1;
      }
    }
    return lines.size();
  }

  /** As Latin-1 any bytes are text, and are written as they were read. */
  private static List<String> lines(Path log) throws IOException {
    return Files.exists(log) ? Files.readAllLines(log, StandardCharsets.ISO_8859_1) : List.of();
  }
}
