package dev.duoka.planner.shape;

import java.util.List;

/**
 * One kind of decoder layer.
 *
 * @param products the products that every token goes through
 * @param normWeights weights of norms
 * @param experts routed experts; 0 in a dense layer
 * @param expertsPerToken experts that each token visits
 * @param expertProducts the products of one expert
 * @param width SwiGLU width of the part that every token goes through: the MLP or shared experts
 * @param expertWidth SwiGLU width of one expert
 */
public record LayerShape(
    List<Product> products,
    long normWeights,
    int experts,
    int expertsPerToken,
    List<Product> expertProducts,
    long width,
    long expertWidth) {
  public LayerShape {
    products = List.copyOf(products);
    expertProducts = List.copyOf(expertProducts);
  }

  /** Weights that one of {@code tensor} ranks holds, without routed experts. */
  public double denseParameters(int tensor) {
    double sum = normWeights;
    for (Product product : products) {
      sum += product.parameters(tensor);
    }
    return sum;
  }

  /** Weights of all routed experts. */
  public long expertParameters() {
    long one = 0;
    for (Product product : expertProducts) {
      one += product.parameters();
    }
    return one * experts;
  }

  /** All weights. */
  public long parameters() {
    return Math.round(denseParameters(1)) + expertParameters();
  }

  /** Weights that work on one token. */
  public long activeParameters() {
    return experts == 0
        ? parameters()
        : Math.round(denseParameters(1)) + expertParameters() / experts * expertsPerToken;
  }
}
