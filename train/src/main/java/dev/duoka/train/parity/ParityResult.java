package dev.duoka.train.parity;

/**
 * One comparison.
 *
 * @param name of the tensor
 * @param relativeError the L2 norm of the difference over the L2 norm of what was expected; the
 *     absolute norm where zeros were expected; infinite where the sizes differ
 * @param roundingSpread how far this value moves when only the last bit of the weights changes; 0
 *     where it was not measured because the error is small anyway
 */
public record ParityResult(String name, double relativeError, double roundingSpread) {
  /** Above this a value says nothing, so its own spread excuses no error. */
  static final double LARGEST_SPREAD = 0.25;

  static ParityResult of(String name, double[] actual, double[] expected) {
    if (actual.length != expected.length) {
      return new ParityResult(name, Double.POSITIVE_INFINITY, 0);
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    double error = Math.sqrt(difference) / (norm == 0 ? 1 : Math.sqrt(norm));
    return new ParityResult(name, error, 0);
  }

  /** The same comparison with the spread of the value. */
  ParityResult withSpread(double spread) {
    return new ParityResult(name, relativeError, spread);
  }

  /**
   * Whether the error is a number and not above {@code tolerance}, or not above what rounding alone
   * does to this value, as far as that is at most {@value #LARGEST_SPREAD}.
   */
  public boolean within(double tolerance) {
    return relativeError <= Math.max(tolerance, Math.min(roundingSpread, LARGEST_SPREAD));
  }
}
