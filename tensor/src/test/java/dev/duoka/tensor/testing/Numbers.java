package dev.duoka.tensor.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Dtype;

/** Comparisons of numbers up to rounding. */
public final class Numbers {
  private Numbers() {}

  /** The relative error that one operator may have in this dtype. */
  public static double tolerance(Dtype dtype) {
    return switch (dtype) {
      case FLOAT64 -> 1e-12;
      case FLOAT32 -> 2e-5;
      case BFLOAT16 -> 2e-2;
      case FLOAT16 -> 3e-3;
      case FLOAT8_E4M3 -> 6e-2;
      case INT64, INT32, INT16, UINT8, BOOL -> 0;
    };
  }

  /** The L2 norm of the difference over the larger of 1e-30 and the L2 norm of {@code expected}. */
  public static double relativeError(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      if (Double.compare(actual[i], expected[i]) != 0) { // equal infinities do not differ
        difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
        norm += expected[i] * expected[i];
      } else if (Double.isFinite(expected[i])) {
        norm += expected[i] * expected[i];
      }
    }
    return Math.sqrt(difference) / Math.max(1e-30, Math.sqrt(norm));
  }

  /** Fails unless the relative error is at most {@code tolerance}. */
  public static void assertClose(
      String what, double[] actual, double[] expected, double tolerance) {
    assertThat(relativeError(actual, expected)).as(what).isLessThanOrEqualTo(tolerance);
  }
}
