package dev.duoka.train.run;

import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.device.ProcessMemory;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * How a run ended.
 *
 * @param loss training loss of the last step; NaN before the first
 * @param validationLoss of the last evaluation; empty where nothing was held out
 * @param steps steps taken in total, earlier sessions of the run included
 * @param endStep where this session was to end
 * @param totalSteps of the whole run; 0 where its data was not there yet
 * @param speed of this session
 * @param peakMemoryBytes the most memory that this process used: on a GPU the largest rank's
 *     tensors, on the CPU the process as the operating system counts it
 * @param runDir everything the run wrote
 * @param end why it ended
 * @param lastCheckpoint step of the newest checkpoint that is whole on disk; empty for none
 * @param saveFailed whether the last save failed, so that what came after {@code lastCheckpoint} is
 *     lost
 * @param best the best validation so far; empty where the run does not look for it
 * @param prompt the first words of the held-out text, to try the model with
 */
public record RunResult(
    double loss,
    OptionalDouble validationLoss,
    long steps,
    long endStep,
    long totalSteps,
    Speed speed,
    long peakMemoryBytes,
    Path runDir,
    End end,
    OptionalLong lastCheckpoint,
    boolean saveFailed,
    Optional<Best> best,
    String prompt) {
  /** Why a run ended. */
  public enum End {
    /** It took its last step. */
    COMPLETE,
    /** It was asked to stop before. */
    INTERRUPTED,
    /** There was no step left to take. */
    NOTHING_TO_DO
  }

  /**
   * The best validation of a run.
   *
   * @param step after which it was
   * @param value what it is judged by
   * @param by what that is, as in {@code validation.best_by}
   * @param endsRun whether the run is over because no later validation was better
   */
  public record Best(long step, double value, String by, boolean endsRun) {}

  /**
   * How fast a session was; NaN where it took no step.
   *
   * @param tokensPerSecond median of the last 100 steps
   * @param overall the session's tokens by the time from before its first step until everything was
   *     saved, validation included
   * @param mfu at the median; NaN where the device's peak is unknown too
   */
  public record Speed(double tokensPerSecond, double overall, double mfu) {
    static final Speed NONE = new Speed(Double.NaN, Double.NaN, Double.NaN);

    /** {@link #mfu} in percent. */
    public double mfuPercent() {
      return mfu * 100;
    }
  }

  /** Of a run that was stopped before its data was there. */
  static RunResult stoppedWhilePreparing(Path runDir) {
    OptionalLong newest =
        new CheckpointStore(runDir).list().stream().mapToLong(Checkpoint::step).max();
    return new RunResult(
        Double.NaN,
        OptionalDouble.empty(),
        newest.orElse(0),
        0,
        0,
        Speed.NONE,
        ProcessMemory.peakResidentBytes(),
        runDir,
        End.INTERRUPTED,
        newest,
        false,
        Optional.empty(),
        "");
  }

  /** Whether the run has steps left to take, as after {@code --max-steps}. */
  public boolean hasStepsLeft() {
    return steps < totalSteps && best.stream().noneMatch(Best::endsRun);
  }

  /** Whether it was stopped before its end. */
  public boolean interrupted() {
    return end == End.INTERRUPTED;
  }
}
