package dev.duoka.train.parity;

/**
 * One comparison.
 *
 * @param name of the tensor
 * @param relativeError the L2 norm of the difference over the L2 norm of what was expected; the
 *     absolute norm where zeros were expected; infinite where the sizes differ
 */
public record ParityResult(String name, double relativeError) {
  static ParityResult of(String name, double[] actual, double[] expected) {
    if (actual.length != expected.length) {
      return new ParityResult(name, Double.POSITIVE_INFINITY);
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    double error = Math.sqrt(difference) / (norm == 0 ? 1 : Math.sqrt(norm));
    return new ParityResult(name, error);
  }

  /** Whether the error is a number and not above {@code tolerance}. */
  public boolean within(double tolerance) {
    return relativeError <= tolerance;
  }
}
