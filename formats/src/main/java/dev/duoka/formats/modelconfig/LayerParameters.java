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
    long attention = attention(config.attention(), hidden);
    MoeConfig moe = config.moe();
    if (moe == null || !config.isMoeLayer(layer)) {
      return new LayerParameters(
          attention, 2 * hidden, swiGlu(hidden, config.intermediateSize()), 0, 0, 0, 0);
    }
    long expert = swiGlu(hidden, moe.expertIntermediateSize());
    return new LayerParameters(
        attention,
        2 * hidden,
        0,
        hidden * moe.routedExperts(),
        moe.routedExperts() * expert,
        moe.sharedExperts() * expert,
        moe.expertsPerToken() * expert);
  }

  private static long attention(AttentionConfig attention, long hidden) {
    return switch (attention) {
      case AttentionConfig.GroupedQuery(int heads, int kvHeads, int headDim) ->
          2 * hidden * headDim * (heads + kvHeads);
      case AttentionConfig.MultiHeadLatent latent -> {
        long queryWidth = (long) latent.heads() * latent.qkHeadDim();
        long rank = latent.qLoraRank();
        long query =
            latent.compressesQueries()
                ? hidden * rank + rank + rank * queryWidth
                : hidden * queryWidth;
        long kvRank = latent.kvLoraRank();
        long kvWidth = (long) latent.heads() * (latent.qkNopeHeadDim() + latent.vHeadDim());
        long keyValue = hidden * (kvRank + latent.qkRopeHeadDim()) + kvRank + kvRank * kvWidth;
        yield query + keyValue + (long) latent.heads() * latent.vHeadDim() * hidden;
      }
    };
  }

  private static long swiGlu(long hidden, long width) {
    return 3 * hidden * width;
  }
}
