package dev.duoka.planner.shape;

import dev.duoka.formats.modelconfig.AttentionShape;
import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelFlops;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.formats.modelconfig.Product;
import dev.duoka.layout.Method;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.parallel.plan.TrainedWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

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
  /** Counted once for a model: one with many experts declares thousands of weights. */
  private static final Map<ModelConfig, TrainedWeights> ADAPTED = new ConcurrentHashMap<>();

  public ModelShape {
    isMixture = List.copyOf(isMixture);
  }

  /** The shape of a model with all its MTP modules. */
  public static ModelShape of(ModelConfig config) {
    long hidden = config.hiddenSize();
    AttentionShape attention = AttentionShape.of(config.attention(), hidden);
    LayerShape dense = LayerShape.of(config, attention, null);
    LayerShape mixture =
        config.moe() == null ? dense : LayerShape.of(config, attention, config.moe());
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

  /** What is trained where the method is one of adapters. */
  public TrainedWeights adapted() {
    return ADAPTED.computeIfAbsent(
        config, model -> TrainedWeights.of(model.with(DryRunJob.adapter(model, Method.LORA))));
  }

  /** Layer number {@code index}; MTP modules count on from the layers. */
  public LayerShape layer(int index) {
    return isMixture.get(index) ? mixture : dense;
  }

  /**
   * Among which experts its routers choose.
   *
   * @throws IllegalStateException where it has none
   */
  public RoutedExperts routed() {
    MoeConfig moe = config.moe();
    if (moe == null) {
      throw new IllegalStateException("a model without experts");
    }
    return SpreadExperts.routed(moe);
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
   * FLOPs per token of forward and backward pass.
   *
   * @param adapter whether the adapter's weights alone are trained
   * @param causal whether attention counts at its causal half or as if every token saw all
   */
  public double flopsPerToken(int length, boolean adapter, boolean causal) {
    double keys = causal ? length / 2.0 : length;
    return ModelFlops.partlyTrained(config, adapter ? adapted().share() : 1.0, keys);
  }
}
