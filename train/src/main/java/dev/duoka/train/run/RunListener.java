package dev.duoka.train.run;

import dev.duoka.base.Progress;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.train.step.StepMetrics;
import java.util.List;

/** Hears how a run goes, on the run's own threads. */
public interface RunListener extends Progress {
  /** A line that a user should see: what was chosen, what was found odd. */
  void notice(String message);

  /**
   * The run has gone over to steps that take less memory, and goes on.
   *
   * @param overrides of the run's file that begin with that
   * @param message what happened, for people
   */
  default void remedied(List<String> overrides, String message) {
    notice(message);
  }

  /** The corpus is being tokenised. */
  void tokenising(TokenisationProgress progress);

  /**
   * The run is about to take its first step.
   *
   * @param description what is trained, on what, and where, a few lines
   */
  void started(String description);

  /**
   * The run is about to take its first step, and another process tells how it goes: nothing more is
   * heard here unless this process fails.
   *
   * @param description who trains here, and who tells
   */
  default void follows(String description) {
    started(description);
  }

  /**
   * A step is done.
   *
   * @param totalSteps of the whole run
   * @param remainingSeconds until its end, if it goes on like this
   */
  void step(StepMetrics metrics, long totalSteps, double remainingSeconds);

  /** The held-out documents were evaluated after this many steps. */
  void validated(long step, ValidationResult result);

  /** A checkpoint was written. */
  void saved(String message);

  /** Part of the sample at the end of the run; the first part is the prompt. */
  void sample(String text);
}
