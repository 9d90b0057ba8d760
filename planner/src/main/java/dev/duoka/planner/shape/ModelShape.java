package dev.duoka.planner.shape;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model as the planner counts it.
 *
 * @param config its config
 * @param hidden elements of a token's vector between layers
 * @param vocabulary rows of the embedding
 * @param tied whether the head is the embedding's matrix
 * @param attention every layer's attention
 * @param dense a layer with a dense MLP
 * @param mixture a layer with experts; as {@code dense} in a model without
 * @param isMixture which layers have experts, MTP modules last
 * @param layers decoder layers without MTP modules
 * @param mtpModules multi-token prediction modules, trained along
 * @param parameters all parameters without MTP modules
 * @param activeParameters parameters that work on one token, with the whole embedding
 */
public record ModelShape(
    ModelConfig config,
    long hidden,
    long vocabulary,
    boolean tied,
    AttentionShape attention,
    LayerShape dense,
    LayerShape mixture,
    List<Boolean> isMixture,
    int layers,
    int mtpModules,
    long parameters,
    long activeParameters) {
  public ModelShape {
    isMixture = List.copyOf(isMixture);
  }

  /** The shape of a model with all its MTP modules. */
  public static ModelShape of(ModelConfig config) {
    long hidden = config.hiddenSize();
    AttentionShape attention = AttentionShape.of(config.attention(), hidden);
    LayerShape dense = layer(config, attention, null);
    LayerShape mixture = config.moe() == null ? dense : layer(config, attention, config.moe());
    List<Boolean> isMixture = new ArrayList<>();
    for (int i = 0; i < config.layers() + config.mtpModules(); i++) {
      isMixture.add(config.isMoeLayer(i));
    }
    ParameterCounts counts = ParameterCounts.of(config);
    return new ModelShape(
        config,
        hidden,
        config.vocabSize(),
        config.tieEmbeddings(),
        attention,
        dense,
        mixture,
        isMixture,
        config.layers(),
        config.mtpModules(),
        counts.total(),
        counts.active());
  }

  /** Layer number {@code index}; MTP modules count on from the layers. */
  public LayerShape layer(int index) {
    return isMixture.get(index) ? mixture : dense;
  }

  /** Whether it has experts. */
  public boolean hasExperts() {
    return mixture.experts() > 0;
  }

  /** Parameters of the embedding, and of the head where it has its own matrix. */
  public double embeddingParameters() {
    return (double) vocabulary * hidden;
  }

  /** The projection of two vectors to one that an MTP module has beside its layer. */
  public Product mtpProjection() {
    return new Product(2 * hidden, hidden, Product.Cut.NONE);
  }

  /** The head's product. */
  public Product head() {
    return new Product(hidden, vocabulary, Product.Cut.OUTER);
  }

  /**
   * FLOPs per token of forward and backward pass: 6 per active weight that a product uses, 4 where
   * it is frozen and has no gradient of its own, and attention three times over.
   *
   * @param frozen whether only adapters are trained
   * @param causal whether attention counts at its causal half or as if every token saw all
   */
  public double flopsPerToken(int length, boolean frozen, boolean causal) {
    double weights = activeParameters - (tied ? 0 : embeddingParameters());
    double keys = causal ? length / 2.0 : length;
    return (frozen ? 4 : 6) * weights + 3 * layers * attention.flops(keys);
  }

  private static LayerShape layer(
      ModelConfig config, AttentionShape attention, @Nullable MoeConfig moe) {
    long hidden = config.hiddenSize();
    List<Product> products = new ArrayList<>(attention.products());
    long width = moe == null ? config.intermediateSize() : moe.sharedIntermediateSize();
    if (width > 0) {
      products.add(new Product(hidden, 2 * width, Product.Cut.OUTER));
      products.add(new Product(width, hidden, Product.Cut.INNER));
    }
    long norms = 2 * hidden + attention.normWeights();
    if (moe == null) {
      return new LayerShape(products, norms, 0, 0, List.of(), width, 0);
    }
    products.add(new Product(hidden, moe.routedExperts(), Product.Cut.NONE));
    long expertWidth = moe.expertIntermediateSize();
    return new LayerShape(
        products,
        norms,
        moe.routedExperts(),
        moe.expertsPerToken(),
        List.of(
            new Product(hidden, 2 * expertWidth, Product.Cut.NONE),
            new Product(expertWidth, hidden, Product.Cut.NONE)),
        width,
        expertWidth);
  }
}
