package dev.duoka.train.schedule;

/**
 * Warm-up, the peak for 80 % of the run, 0.316 of it up to 90 %, then 0.1 (DeepSeek-LLM, 2024,
 * section 2.3).
 *
 * @param totalSteps steps of the run, the warm-up among them
 */
public record MultiStep(Warmup warmup, long totalSteps) implements LearningRateSchedule {
  private static final double FIRST_FACTOR = 0.316;
  private static final double SECOND_FACTOR = 0.1;

  @Override
  public double rate(long step) {
    if (warmup.covers(step)) {
      return warmup.rate(step);
    }
    // Whole numbers, so that the drop is at the exact step whatever the rounding of 0.8.
    if (10 * step < 8 * totalSteps) {
      return warmup.peak();
    }
    return warmup.peak() * (10 * step < 9 * totalSteps ? FIRST_FACTOR : SECOND_FACTOR);
  }
}
