package dev.duoka.experiment.verdict;

/**
 * Student's distribution of whole degrees of freedom, by its closed form (Abramowitz and Stegun,
 * Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
 */
public final class StudentT {
  private static final int HALVINGS = 200;

  private StudentT() {}

  /** The share of the distribution within {@code -t} and {@code t}; t is not negative. */
  static double within(double t, int degrees) {
    double angle = Math.atan(t / Math.sqrt(degrees));
    double cosine = Math.cos(angle);
    double sine = Math.sin(angle);
    boolean odd = degrees % 2 == 1;
    double term = odd ? cosine : 1;
    double sum = degrees == 1 ? 0 : term;
    for (int k = odd ? 2 : 1; k <= degrees - 3; k += 2) {
      term *= (double) k / (k + 1) * cosine * cosine;
      sum += term;
    }
    return odd ? 2 / Math.PI * (angle + sine * sum) : sine * sum;
  }

  /**
   * The t within which so much of the distribution lies.
   *
   * @param share between 0 and 1, both left out
   * @param degrees at least 1
   */
  public static double quantile(double share, int degrees) {
    double low = 0;
    double high = 1;
    while (within(high, degrees) < share) {
      high *= 2;
    }
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (within(middle, degrees) < share) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }
}
