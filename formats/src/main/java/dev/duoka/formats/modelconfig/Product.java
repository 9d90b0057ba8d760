package dev.duoka.formats.modelconfig;

import java.util.List;

/**
 * A matrix product with a weight of {@code inner × outer}.
 *
 * @param inner width of the input
 * @param outer width of the output
 * @param cut what tensor parallelism divides
 */
public record Product(long inner, long outer, Cut cut) {
  /** What tensor parallelism divides of a weight. */
  public enum Cut {
    /** The columns of the output: each rank computes some. */
    OUTER,
    /** The rows of the input: each rank computes a summand. */
    INNER,
    /** Nothing: every rank computes all of it for its part of the tokens. */
    NONE
  }

  /** Weights of several. */
  public static long parameters(List<Product> products) {
    return products.stream().mapToLong(Product::parameters).sum();
  }

  /** Weights of the product. */
  public long parameters() {
    return inner * outer;
  }

  /** Weights that one of {@code tensor} ranks holds. */
  public double parameters(int tensor) {
    return (double) parameters() / (cut == Cut.NONE ? 1 : tensor);
  }

  /** Width of the input on one of {@code tensor} ranks. */
  public double inner(int tensor) {
    return cut == Cut.INNER ? (double) inner / tensor : inner;
  }

  /** Width of the output on one of {@code tensor} ranks. */
  public double outer(int tensor) {
    return cut == Cut.OUTER ? (double) outer / tensor : outer;
  }
}
