package dev.duoka.hardware;

/**
 * What the products of one layer {@code [rows, in] → [rows, out]} took, each pass alone.
 *
 * @param format of the factors
 * @param groups 0 of a plain layer; else so many matrices share the rows, as many to each
 * @param rows of all groups together
 * @param in width of the input
 * @param out width of the output
 * @param forward seconds
 * @param inputGradients seconds
 * @param weightGradients seconds, added to fp32 sums
 */
public record ProductSample(
    NumberFormat format,
    int groups,
    long rows,
    long in,
    long out,
    double forward,
    double inputGradients,
    double weightGradients) {
  /** Seconds of one pass. */
  public double seconds(Pass pass) {
    return switch (pass) {
      case FORWARD -> forward;
      case INPUT_GRADIENTS -> inputGradients;
      case WEIGHT_GRADIENTS -> weightGradients;
    };
  }

  /** Operations of one pass. */
  public double flops() {
    return 2.0 * rows * in * out;
  }
}
