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
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Parts the logs of a run where the checkpoint of a step was saved for the last time: {@code
 * run.log} behind the line that says so, those of other processes by its time. Where no line says
 * so, all counts as before.
 */
final class LogCut {
  private static final Pattern OF_OTHERS = Pattern.compile("process-\\d{1,9}\\.log");
  private static final Pattern TIME = Pattern.compile("(\\d{4}-\\d\\d-\\d\\dT[\\d:]+Z) .*");

  private final Path run;
  private final String saved;

  LogCut(Path run, long step) {
    this.run = run;
    this.saved = String.format(Locale.ROOT, "/step-%08d (", step);
  }

  /** Whether a file of a run's folder is a log. */
  static boolean isLog(String name) {
    return name.equals(RunFileNames.LOG) || OF_OTHERS.matcher(name).matches();
  }

  /** Writes the lines after that into files of the same names in another folder, durably. */
  void copyAfter(Path folder) throws IOException {
    for (Path log : logs()) {
      List<String> lines = lines(log);
      Path copy = folder.resolve(log.getFileName());
      Files.write(copy, lines.subList(end(log, lines), lines.size()), StandardCharsets.ISO_8859_1);
      CrashSafeFiles.syncFile(copy);
    }
  }

  /**
   * Keeps the lines up to that, and says why there are no more.
   *
   * @param last the line that {@code run.log} is to end with, without its time; not added where it
   *     ends with it
   */
  void keepUpTo(String last) throws IOException {
    for (Path log : logs()) {
      List<String> lines = lines(log);
      List<String> kept = new ArrayList<>(lines.subList(0, end(log, lines)));
      if (isFirst(log)) {
        if (!lines.isEmpty() && lines.getLast().endsWith(last)) {
          continue;
        }
        kept.add(Instant.now().truncatedTo(ChronoUnit.SECONDS) + " " + last);
      }
      CrashSafeFiles.write(
          log,
          String.join("", kept.stream().map(line -> line + "\n").toList())
              .getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  private static boolean isFirst(Path log) {
    return String.valueOf(log.getFileName()).equals(RunFileNames.LOG);
  }

  private List<Path> logs() throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(file -> isLog(String.valueOf(file.getFileName()))).sorted().toList();
    }
  }

  private int end(Path log, List<String> lines) throws IOException {
    if (isFirst(log)) {
      return behindSaved(lines).orElse(lines.size());
    }
    List<String> first = lines(run.resolve(RunFileNames.LOG));
    Optional<String> time = behindSaved(first).flatMap(end -> time(first.get(end - 1)));
    if (time.isPresent()) {
      for (int i = 0; i < lines.size(); i++) {
        Optional<String> own = time(lines.get(i));
        if (own.isPresent() && own.get().compareTo(time.get()) > 0) {
          return i;
        }
      }
    }
    return lines.size();
  }

  private Optional<Integer> behindSaved(List<String> lines) {
    for (int i = lines.size() - 1; i >= 0; i--) {
      if (lines.get(i).contains(" saved ") && lines.get(i).contains(saved)) {
        return Optional.of(i + 1);
      }
    }
    return Optional.empty();
  }

  /** Times of logs are all of one length, so that their order is that of their letters. */
  private static Optional<String> time(String line) {
    Matcher time = TIME.matcher(line);
    return time.matches() ? Optional.of(time.group(1)) : Optional.empty();
  }

  /** As Latin-1 any bytes are text, and are written as they were read. */
  private static List<String> lines(Path log) throws IOException {
    return Files.exists(log) ? Files.readAllLines(log, StandardCharsets.ISO_8859_1) : List.of();
  }
}
