package dev.duoka.train.schedule;

/**
 * Warm-up, the peak for most of the run, then a decay over its last steps (MiniCPM,
 * arXiv:2404.06395, section 4). Until the decay begins the rate does not depend on the run's
 * length, so a run can be made longer there.
 *
 * @param decay the last steps
 */
public record WarmupStableDecay(Warmup warmup, Decay decay) implements LearningRateSchedule {
  @Override
  public double rate(long step) {
    if (decay.covers(step)) {
      return decay.rate(warmup.peak(), step);
    }
    return warmup.covers(step) ? warmup.rate(step) : warmup.peak();
  }
}
