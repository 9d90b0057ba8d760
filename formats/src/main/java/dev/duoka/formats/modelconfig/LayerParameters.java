package dev.duoka.formats.modelconfig;

/**
 * The parameters of one decoder layer.
 *
 * @param attention projections and the norms inside the attention
 * @param norms the norms before attention and MLP
 * @param denseMlp the dense MLP; 0 in a layer with experts
 * @param router the router's matrix, without the bias that V3 moves by rule
 * @param routedExperts all routed experts
 * @param sharedExperts the shared experts
 * @param activeExperts the routed experts that one token visits
 */
public record LayerParameters(
    long attention,
    long norms,
    long denseMlp,
    long router,
    long routedExperts,
    long sharedExperts,
    long activeExperts) {

  /** All parameters of the layer. */
  public long total() {
    return attention + norms + denseMlp + router + routedExperts + sharedExperts;
  }

  /** The parameters that work on one token. */
  public long active() {
    return total() - routedExperts + activeExperts;
  }

  static LayerParameters of(ModelConfig config, int layer) {
    long hidden = config.hiddenSize();
    long attention = AttentionShape.of(config.attention(), hidden).parameters();
    MoeConfig moe = config.moe();
    if (moe == null || !config.isMoeLayer(layer)) {
      long mlp = Product.parameters(LayerShape.mlp(hidden, config.intermediateSize()));
      return new LayerParameters(attention, 2 * hidden, mlp, 0, 0, 0, 0);
    }
    long expert = Product.parameters(LayerShape.expert(hidden, moe));
    return new LayerParameters(
        attention,
        2 * hidden,
        0,
        LayerShape.router(hidden, moe).parameters(),
        moe.routedExperts() * expert,
        moe.sharedExperts() * expert,
        moe.expertsPerToken() * expert);
  }
}
