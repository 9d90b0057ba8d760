package dev.duoka.formats.modelconfig;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

  /**
   * The shape of a layer.
   *
   * @param moe its experts; null in a dense layer
   */
  public static LayerShape of(
      ModelConfig config, AttentionShape attention, @Nullable MoeConfig moe) {
    long hidden = config.hiddenSize();
    List<Product> products = new ArrayList<>(attention.products());
    long width = moe == null ? config.intermediateSize() : moe.sharedIntermediateSize();
    if (width > 0) {
      products.addAll(mlp(hidden, width));
    }
    long norms = 2 * hidden + attention.normWeights();
    if (moe == null) {
      return new LayerShape(products, norms, 0, 0, List.of(), width, 0);
    }
    products.add(router(hidden, moe));
    return new LayerShape(
        products,
        norms,
        moe.routedExperts(),
        moe.expertsPerToken(),
        expert(hidden, moe),
        width,
        moe.expertIntermediateSize());
  }

  /** The products of a dense MLP. */
  static List<Product> mlp(long hidden, long width) {
    return swiGlu(hidden, width, Product.Cut.OUTER, Product.Cut.INNER);
  }

  /** The products of one routed expert. */
  static List<Product> expert(long hidden, MoeConfig moe) {
    return swiGlu(hidden, moe.expertIntermediateSize(), Product.Cut.NONE, Product.Cut.NONE);
  }

  /** The product that scores the experts. */
  static Product router(long hidden, MoeConfig moe) {
    return new Product(hidden, moe.routedExperts(), Product.Cut.NONE);
  }

  /** Gate and up in one, and down. */
  private static List<Product> swiGlu(long hidden, long width, Product.Cut up, Product.Cut down) {
    return List.of(new Product(hidden, 2 * width, up), new Product(width, hidden, down));
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
    return Product.parameters(expertProducts) * experts;
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
