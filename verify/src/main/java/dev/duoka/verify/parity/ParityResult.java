package dev.duoka.verify.parity;

/**
 * One comparison.
 *
 * @param name of the tensor
 * @param relativeError the L2 norm of the difference over the L2 norm of what was expected; the
 *     absolute norm where zeros were expected; infinite where the sizes differ. Of a series of
 *     optimizer steps, that of the closest run
 * @param plainError the same of the plain run, which started from exactly the folder's weights
 * @param runs how many runs that took: 1, or more where the plain one was above the tolerance
 */
public record ParityResult(String name, double relativeError, double plainError, int runs) {
  /** The comparison of a single run. */
  static ParityResult of(String name, double[] actual, double[] expected) {
    double error = error(actual, expected);
    return new ParityResult(name, error, error, 1);
  }

  static double error(double[] actual, double[] expected) {
    if (actual.length != expected.length) {
      return Double.POSITIVE_INFINITY;
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(difference) / (norm == 0 ? 1 : Math.sqrt(norm));
  }

  /** Whether the error is a number and not above {@code tolerance}. */
  public boolean within(double tolerance) {
    return relativeError <= tolerance;
  }
}
