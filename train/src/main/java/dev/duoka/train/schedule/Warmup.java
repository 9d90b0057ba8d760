package dev.duoka.train.schedule;

/**
 * A linear rise to the peak learning rate.
 *
 * @param peak the learning rate at its end
 * @param steps its length in steps; 0 for none
 */
public record Warmup(double peak, long steps) {
  /** Whether a step belongs to the warm-up. */
  boolean covers(long step) {
    return step < steps;
  }

  /** The learning rate of a step of the warm-up. */
  double rate(long step) {
    return peak * (step + 1) / steps;
  }
}
