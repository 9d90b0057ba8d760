package dev.duoka.train.schedule;

/** Warm-up, then the peak throughout. */
public record Constant(Warmup warmup) implements LearningRateSchedule {
  @Override
  public double rate(long step) {
    return warmup.covers(step) ? warmup.rate(step) : warmup.peak();
  }
}
