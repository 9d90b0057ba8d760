package dev.duoka.train.schedule;

import dev.duoka.train.config.ScheduleSettings.DecayShape;

/**
 * Warm-up, then a straight line from the peak down to a fraction of it, which the last step has
 * exactly.
 *
 * @param finalFraction the last step's learning rate as a fraction of the peak
 * @param totalSteps steps of the run, the warm-up among them
 */
public record Linear(Warmup warmup, double finalFraction, long totalSteps)
    implements LearningRateSchedule {
  @Override
  public double rate(long step) {
    return warmup.covers(step)
        ? warmup.rate(step)
        : new Decay(warmup.steps(), totalSteps, DecayShape.LINEAR, finalFraction)
            .rate(warmup.peak(), step);
  }
}
