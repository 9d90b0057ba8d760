package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds the newest run of a run file. */
final class LatestRun {
  private static final Path RUNS = Path.of("runs");

  private LatestRun() {}

  /** The newest folder {@code runs/<name>-<time>}. */
  static Path of(String name) {
    if (Files.isDirectory(RUNS)) {
      try (Stream<Path> runs = Files.list(RUNS)) {
        Optional<Path> newest =
            runs.filter(
                    run ->
                        run.getFileName()
                            .toString()
                            .matches(Pattern.quote(name) + "-\\d{8}-\\d{6}"))
                .max(Comparator.comparing(Path::toString));
        if (newest.isPresent()) {
          return newest.get();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    throw new DuokaException(
        ErrorCode.USAGE,
        "there is no run named " + name + " to resume in " + RUNS.toAbsolutePath(),
        "Name the run's folder with --run-dir");
  }
}
