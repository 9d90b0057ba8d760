package dev.duoka.formats.modelconfig;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.NamePatterns;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a model: all that its layers need to know, and nothing about training it.
 *
 * @param architecture the family
 * @param vocabSize rows of the embedding
 * @param hiddenSize elements of a token's vector between layers
 * @param layers decoder layers, without those of the MTP modules
 * @param maxPositions the longest sequence the model is meant for
 * @param rmsNormEps what RMSNorm adds to the mean square
 * @param initializerRange the standard deviation of freshly drawn weights
 * @param tieEmbeddings whether the output head is the embedding's matrix
 * @param attention the sizes of every attention layer
 * @param rope the position embedding
 * @param intermediateSize the SwiGLU width of a dense MLP
 * @param moe the mixture of experts; null for a dense model
 * @param mtpModules multi-token prediction modules (arXiv 2412.19437, section 2.2); a checkpoint
 *     may lack their weights, transformers neither loads nor saves them
 * @param bosTokenId begins a sequence; -1 for none
 * @param eosTokenId ends a sequence; -1 for none
 * @param adapter what is trained beside the frozen weights; null where all of them are trained. No
 *     {@code config.json} speaks of it
 * @param frozen modules whose weights are not trained; without an adapter. Likewise
 */
public record ModelConfig(
    Architecture architecture,
    int vocabSize,
    int hiddenSize,
    int layers,
    int maxPositions,
    double rmsNormEps,
    double initializerRange,
    boolean tieEmbeddings,
    AttentionConfig attention,
    RopeConfig rope,
    int intermediateSize,
    @Nullable MoeConfig moe,
    int mtpModules,
    int bosTokenId,
    int eosTokenId,
    @Nullable AdapterConfig adapter,
    NamePatterns frozen) {

  public ModelConfig {
    ConfigLimits.range("vocab_size", vocabSize, 1, ConfigLimits.MAX_TOKENS);
    ConfigLimits.range("hidden_size", hiddenSize, 1, ConfigLimits.MAX_SIZE);
    ConfigLimits.range("num_hidden_layers", layers, 1, ConfigLimits.MAX_LAYERS);
    ConfigLimits.range("max_position_embeddings", maxPositions, 1, ConfigLimits.MAX_TOKENS);
    ConfigLimits.positive("rms_norm_eps", rmsNormEps);
    ConfigLimits.notNegative("initializer_range", initializerRange);
    ConfigLimits.range("intermediate_size", intermediateSize, 1, ConfigLimits.MAX_SIZE);
    ConfigLimits.range("num_nextn_predict_layers", mtpModules, 0, ConfigLimits.MAX_LAYERS);
    ConfigLimits.range("bos_token_id", bosTokenId, -1, vocabSize - 1);
    ConfigLimits.range("eos_token_id", eosTokenId, -1, vocabSize - 1);
    checkParts(architecture, attention, rope, moe, mtpModules);
    ConfigLimits.that(
        adapter == null || frozen.equals(NamePatterns.NONE),
        "an adapter with further frozen weights",
        "An adapter freezes all weights that are not its own");
    if (moe != null) {
      ConfigLimits.range("first_k_dense_replace", moe.firstDenseLayers(), 0, layers);
      checkRouting(architecture, moe);
    }
    if (architecture == Architecture.DEEPSEEK_MOE
        && attention instanceof AttentionConfig.GroupedQuery(int heads, _, int headDim, _, _)) {
      ConfigLimits.that(
          heads * headDim == hiddenSize,
          "head_dim " + headDim + " of " + heads + " heads with hidden_size " + hiddenSize,
          "In model_type deepseek, all heads together are as wide as the hidden size");
    }
  }

  /** A model without an adapter, all of which is trained. */
  public ModelConfig(
      Architecture architecture,
      int vocabSize,
      int hiddenSize,
      int layers,
      int maxPositions,
      double rmsNormEps,
      double initializerRange,
      boolean tieEmbeddings,
      AttentionConfig attention,
      RopeConfig rope,
      int intermediateSize,
      @Nullable MoeConfig moe,
      int mtpModules,
      int bosTokenId,
      int eosTokenId) {
    this(
        architecture,
        vocabSize,
        hiddenSize,
        layers,
        maxPositions,
        rmsNormEps,
        initializerRange,
        tieEmbeddings,
        attention,
        rope,
        intermediateSize,
        moe,
        mtpModules,
        bosTokenId,
        eosTokenId,
        null,
        NamePatterns.NONE);
  }

  /**
   * Whether this layer has experts instead of a dense MLP; MTP modules count on from the layers.
   */
  public boolean isMoeLayer(int layer) {
    if (layer < 0 || layer >= layers + mtpModules) {
      throw new IndexOutOfBoundsException("layer " + layer + " of " + (layers + mtpModules));
    }
    return moe != null && layer >= moe.firstDenseLayers() && layer % moe.layerFrequency() == 0;
  }

  /** The same model with other layers and modules for further tokens. */
  public ModelConfig with(int otherLayers, @Nullable MoeConfig otherMoe, int otherMtpModules) {
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        otherLayers,
        maxPositions,
        rmsNormEps,
        initializerRange,
        tieEmbeddings,
        attention,
        rope,
        intermediateSize,
        otherMoe,
        otherMtpModules,
        bosTokenId,
        eosTokenId,
        adapter,
        frozen);
  }

  /** The same model with an adapter; null for none. */
  public ModelConfig with(@Nullable AdapterConfig other) {
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        layers,
        maxPositions,
        rmsNormEps,
        initializerRange,
        tieEmbeddings,
        attention,
        rope,
        intermediateSize,
        moe,
        mtpModules,
        bosTokenId,
        eosTokenId,
        other,
        frozen);
  }

  /** The same model of which other modules are not trained. */
  public ModelConfig freezing(NamePatterns other) {
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        layers,
        maxPositions,
        rmsNormEps,
        initializerRange,
        tieEmbeddings,
        attention,
        rope,
        intermediateSize,
        moe,
        mtpModules,
        bosTokenId,
        eosTokenId,
        adapter,
        other);
  }

  /** The same model with other tokens that begin and end a sequence; -1 for none. */
  public ModelConfig withTokenIds(int bos, int eos) {
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        layers,
        maxPositions,
        rmsNormEps,
        initializerRange,
        tieEmbeddings,
        attention,
        rope,
        intermediateSize,
        moe,
        mtpModules,
        bos,
        eos,
        adapter,
        frozen);
  }

  private static void checkParts(
      Architecture architecture,
      AttentionConfig attention,
      RopeConfig rope,
      @Nullable MoeConfig moe,
      int mtpModules) {
    boolean latent =
        switch (architecture) {
          case LLAMA, QWEN2, QWEN3, DEEPSEEK_MOE -> false;
          case DEEPSEEK_V2, DEEPSEEK_V3 -> true;
        };
    String type = "model_type " + architecture.modelType();
    ConfigLimits.that(
        latent == attention instanceof AttentionConfig.MultiHeadLatent,
        type + " with " + attention.getClass().getSimpleName() + " attention",
        "llama, qwen2, qwen3 and deepseek have grouped-query attention, deepseek_v2 and deepseek_v3"
            + " latent one");
    ConfigLimits.that(
        !(attention instanceof AttentionConfig.GroupedQuery heads)
            || (heads.bias() == (architecture == Architecture.QWEN2)
                && heads.headNorms() == (architecture == Architecture.QWEN3)),
        type + " " + inside(attention),
        "qwen2 has biases and qwen3 norms inside the attention, the others have neither");
    ConfigLimits.that(
        architecture == Architecture.DEEPSEEK_V3 || rope.interleaved() == latent,
        type + " with rope interleaved = " + rope.interleaved(),
        "Only deepseek_v3 has the choice");
    ConfigLimits.that(
        !architecture.hasLlamaLayers() || moe == null,
        type + " with experts",
        "Use model_type deepseek, deepseek_v2 or deepseek_v3");
    ConfigLimits.that(
        mtpModules == 0 || architecture == Architecture.DEEPSEEK_V3,
        type + " with num_nextn_predict_layers " + mtpModules,
        "Only deepseek_v3 has multi-token prediction");
  }

  /** For example {@code with biases and without norms inside the attention}. */
  private static String inside(AttentionConfig attention) {
    boolean bias = attention instanceof AttentionConfig.GroupedQuery heads && heads.bias();
    boolean norms = attention instanceof AttentionConfig.GroupedQuery heads && heads.headNorms();
    return (bias ? "with" : "without")
        + " biases and "
        + (norms ? "with" : "without")
        + " norms inside the attention";
  }

  /** What a router can do is fixed by the family; transformers has no keys for most of it. */
  private static void checkRouting(Architecture architecture, MoeConfig moe) {
    boolean v3 = architecture == Architecture.DEEPSEEK_V3;
    String type = "model_type " + architecture.modelType();
    ConfigLimits.that(
        (moe.selection() == MoeConfig.Selection.BIAS_CORRECTED) == v3
            && (moe.scoring() == MoeConfig.Scoring.SIGMOID) == v3,
        type + " with " + moe.scoring() + " scores and " + moe.selection() + " selection",
        "deepseek_v3 has sigmoid scores and bias-corrected selection, the others have neither");
    ConfigLimits.that(
        architecture != Architecture.DEEPSEEK_MOE
            || (moe.selection() == MoeConfig.Selection.GREEDY && moe.scalingFactor() == 1),
        type + " with " + moe.selection() + " selection, scaled by " + moe.scalingFactor(),
        "Its selection is greedy and its scaling 1");
  }
}
