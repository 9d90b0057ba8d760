package dev.duoka.train.schedule;

import dev.duoka.train.config.ScheduleSettings.DecayShape;

/**
 * A fall from the peak learning rate to a fraction of it, over the last steps of a run.
 *
 * @param first its first step, from 0
 * @param end the step behind its last one, which has the final fraction exactly
 * @param shape how it falls
 * @param finalFraction of the peak
 */
public record Decay(long first, long end, DecayShape shape, double finalFraction) {
  /** Whether a step belongs to it, or comes later. */
  boolean covers(long step) {
    return step >= first;
  }

  /** The learning rate of one of its steps; of steps behind it, that of the last. */
  double rate(double peak, long step) {
    long length = Math.max(1, end - first);
    double progress = Math.min(1.0, (step + 1 - first) / (double) length);
    return peak * (finalFraction + (1 - finalFraction) * shape.left(progress));
  }
}
