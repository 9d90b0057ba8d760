package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.PredictionFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What may be expected of a run's times.
 *
 * @param stepSeconds of a step, as it was predicted from the dry run, at worst; 0 where it was not
 * @param diskBytesPerSecond the slowest of the run's last saves; of a slow disk where none is known
 */
public record RunExpectation(double stepSeconds, double diskBytesPerSecond) {
  /** Of a run about which nothing is known: its disk may be a slow one. */
  public static final RunExpectation UNKNOWN = new RunExpectation(0, 50e6);

  /** Reads it from a run's folder. */
  public static RunExpectation of(Path run) {
    double rate = RunProgress.slowestSave(run);
    return new RunExpectation(
        newest(run).map(PredictedStep::high).orElse(UNKNOWN.stepSeconds),
        rate > 0 ? rate : UNKNOWN.diskBytesPerSecond);
  }

  /** Of the run's newest session. */
  private static Optional<PredictedStep> newest(Path run) {
    try (Stream<Path> files = Files.list(run)) {
      Optional<Path> newest =
          files
              .filter(file -> PredictionFile.stepsBefore(file).isPresent())
              .max(Comparator.comparing(file -> PredictionFile.stepsBefore(file).orElse(0L)));
      return newest.isEmpty()
          ? Optional.empty()
          : PredictionFile.parse(Files.readAllBytes(newest.get()), newest.get().toString())
              .prediction()
              .step();
    } catch (IOException | DuokaException e) {
      return Optional.empty(); // what is not predicted is seen as the run goes on
    }
  }
}
