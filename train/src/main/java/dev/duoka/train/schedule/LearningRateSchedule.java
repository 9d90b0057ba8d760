package dev.duoka.train.schedule;

import dev.duoka.train.config.OptimizerSettings;
import dev.duoka.train.config.ScheduleSettings;

/**
 * The learning rate of each step; a pure function, so resuming needs no state.
 *
 * <p>Steps count from 0. During the warm-up of {@code w} steps, step {@code s} has {@code peak × (s
 * + 1) / w}: the last step of the warm-up has the peak, and no step has zero.
 */
public sealed interface LearningRateSchedule permits Constant, Cosine, MultiStep {
  /**
   * The learning rate of a step.
   *
   * @param step the step, from 0; steps at or past the end have the rate of the last one
   */
  double rate(long step);

  /**
   * The schedule of a run.
   *
   * @param totalSteps optimizer steps of the whole run, also when it was resumed
   */
  static LearningRateSchedule of(
      ScheduleSettings schedule, OptimizerSettings optimizer, long totalSteps) {
    Warmup warmup = new Warmup(optimizer.learningRate(), schedule.warmupSteps());
    return switch (schedule.kind()) {
      case COSINE -> new Cosine(warmup, schedule.finalFraction().orElse(0.1), totalSteps);
      case MULTI_STEP -> new MultiStep(warmup, totalSteps);
      case CONSTANT -> new Constant(warmup);
    };
  }
}
