package dev.duoka.train.schedule;

import dev.duoka.train.config.OptimizerSettings;
import dev.duoka.train.config.ScheduleSettings;
import dev.duoka.train.config.ScheduleSettings.DecayShape;

/**
 * The learning rate of each step; a pure function, so resuming needs no state.
 *
 * <p>Steps count from 0. During the warm-up of {@code w} steps, step {@code s} has {@code peak × (s
 * + 1) / w}: the last step of the warm-up has the peak, and no step has zero.
 */
public sealed interface LearningRateSchedule
    permits Constant, Cosine, Linear, MultiStep, WarmupStableDecay {
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
    double last = schedule.finalFraction().orElse(0.1);
    return switch (schedule.kind()) {
      case COSINE -> new Cosine(warmup, last, totalSteps);
      case LINEAR -> new Linear(warmup, last, totalSteps);
      case WARMUP_STABLE_DECAY -> {
        DecayShape shape = schedule.decayShape().orElse(DecayShape.SQRT);
        long first = totalSteps - schedule.decayLength(totalSteps);
        // A run that is shorter than both is refused; what only looks at one may have it all the
        // same.
        yield new WarmupStableDecay(
            warmup, new Decay(Math.max(first, warmup.steps()), totalSteps, shape, last));
      }
      case MULTI_STEP -> new MultiStep(warmup, totalSteps);
      case CONSTANT -> new Constant(warmup);
    };
  }
}
