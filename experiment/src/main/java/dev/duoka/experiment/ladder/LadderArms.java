package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.Arm;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.ArmProcess;
import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Runs arms one after the other, each alone on the machine.
 *
 * @param folder where they write
 */
record LadderArms(ArmCommand command, Path folder, Progress progress) {
  private static final long LOOK_MILLISECONDS = 100;

  /**
   * An arm that is over.
   *
   * @param failure what ended it; empty where it has taken all of its steps
   */
  record Ended(Arm arm, Optional<WorkerFolder.Failure> failure) {
    ArmSteps steps() {
      return ArmSteps.read(arm.metrics());
    }

    /** Whether it was told that its memory is not enough before it took any. */
    boolean doesNotFit() {
      return failure.filter(it -> it.code() == ErrorCode.OUT_OF_MEMORY).isPresent()
          && !Files.exists(arm.run().resolve(PredictionFile.NAME));
    }
  }

  /**
   * Trains some steps. Blocks as long as they take.
   *
   * @param doing what for, for people
   * @param name of the arm and its folder
   * @throws DuokaException when a setting is wrong, which no other rung would make right
   */
  Ended run(String doing, String name, Rung rung, List<String> overrides, int steps)
      throws InterruptedException {
    Arm arm = new Arm(name, overrides, rung.ranks(), folder.resolve(name));
    arm.makeFolder();
    progress.reached(doing, 0, steps);
    try (ArmProcess process =
        ArmProcess.start(arm.output(), command.words(arm, steps, false), Map.of())) {
      while (process.isAlive()) {
        Thread.sleep(LOOK_MILLISECONDS);
        progress.reached(doing, stepsTaken(arm), steps);
      }
      if (process.hasSucceeded()) {
        return new Ended(arm, Optional.empty());
      }
      WorkerFolder.Failure failure = process.failure();
      if (failure.code() == ErrorCode.CONFIG || failure.code() == ErrorCode.USAGE) {
        throw new DuokaException(
            failure.code(),
            "cannot climb to " + rung.mesh() + ": " + failure.message(),
            "Its output is in " + arm.output());
      }
      return new Ended(arm, Optional.of(failure));
    }
  }

  private static long stepsTaken(Arm arm) {
    if (!Files.exists(arm.metrics())) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(arm.metrics())) {
      return lines.count();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read " + arm.metrics() + ": " + IoReason.of(e),
          "Check the disk",
          e);
    }
  }
}
