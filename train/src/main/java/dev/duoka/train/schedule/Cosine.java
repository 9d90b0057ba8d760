package dev.duoka.train.schedule;

import dev.duoka.train.config.ScheduleSettings.DecayShape;

/**
 * Warm-up, then half a cosine from the peak down to a fraction of it (Loshchilov and Hutter, 2017),
 * which the last step has exactly.
 *
 * @param finalFraction the last step's learning rate as a fraction of the peak
 * @param totalSteps steps of the run, the warm-up among them
 */
public record Cosine(Warmup warmup, double finalFraction, long totalSteps)
    implements LearningRateSchedule {
  @Override
  public double rate(long step) {
    return warmup.covers(step)
        ? warmup.rate(step)
        : new Decay(warmup.steps(), totalSteps, DecayShape.COSINE, finalFraction)
            .rate(warmup.peak(), step);
  }
}
