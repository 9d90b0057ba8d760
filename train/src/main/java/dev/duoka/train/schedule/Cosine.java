package dev.duoka.train.schedule;

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
    if (warmup.covers(step)) {
      return warmup.rate(step);
    }
    long length = Math.max(1, totalSteps - warmup.steps());
    double progress = Math.min(1.0, (step + 1 - warmup.steps()) / (double) length);
    double fraction =
        finalFraction + (1 - finalFraction) * 0.5 * (1 + Math.cos(Math.PI * progress));
    return warmup.peak() * fraction;
  }
}
