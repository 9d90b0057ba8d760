package dev.duoka.hardware;

/**
 * What causal attention in 16 bits took.
 *
 * @param heads of all sequences together
 * @param length tokens of a sequence, queries and keys alike
 * @param width of a query and a key
 * @param valueWidth of a value
 * @param forward seconds
 * @param backward seconds
 */
public record AttentionSample(
    long heads, long length, long width, long valueWidth, double forward, double backward) {
  /** Operations of the forward pass at its causal half; the backward pass has 2.5 times as many. */
  public double flops() {
    return (double) heads * length * length * (width + valueWidth);
  }
}
