package dev.duoka.model;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.function.RotaryTable;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.Section;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.GradientForm;
import dev.duoka.model.LanguageModel.ModelParts;
import dev.duoka.model.adapter.AdapterDeclarations;
import dev.duoka.model.architecture.DeepseekMoe;
import dev.duoka.model.architecture.DeepseekV2;
import dev.duoka.model.architecture.DeepseekV3;
import dev.duoka.model.architecture.LayerDesign;
import dev.duoka.model.architecture.Llama;
import dev.duoka.model.layer.DecoderLayer;
import dev.duoka.model.layer.MultiTokenPrediction;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.FrozenWeights;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;

/** Builds a model from its configuration. */
public final class ModelFactory {
  /**
   * How a model is allocated.
   *
   * @param dtype of weights and activations
   * @param device where it lives
   * @param withGradients false for validation and generation
   * @param positions the longest sequence it will see, in tokens
   * @param predictionDepth how many of the configured modules for further tokens to build
   * @param part which part of the model is built
   */
  public record Allocation(
      Dtype dtype,
      Device device,
      boolean withGradients,
      int positions,
      int predictionDepth,
      Part part) {
    /** An allocation of the whole model. */
    public Allocation(
        Dtype dtype, Device device, boolean withGradients, int positions, int predictionDepth) {
      this(dtype, device, withGradients, positions, predictionDepth, Part.WHOLE);
    }
  }

  /**
   * A part of a model.
   *
   * @param blocks the blocks that are built. With the output head comes the embedding, where the
   *     two are tied or further tokens are predicted
   * @param weight what of a weight is held; the given one for all of it
   * @param group names the weights whose gradients are summed over the same devices
   * @param shards into how many shards the flat buffers of a group must divide
   * @param residency which buffers of a bucket are here all the time
   * @param gradients in which form the gradients of decoder layers are summed
   * @param factors how the update of a weight differs from that of most
   * @param bucketOf the first of the blocks whose weights lie in one bucket with those of a block
   */
  public record Part(
      List<BlockRange> blocks,
      UnaryOperator<ParameterSpec> weight,
      Function<ParameterSpec, String> group,
      ToIntFunction<String> shards,
      Function<BucketKey, Residency> residency,
      GradientForm gradients,
      Function<ParameterSpec, UpdateFactors> factors,
      IntUnaryOperator bucketOf) {
    /** All of it, in one piece. */
    public static final Part WHOLE = inShards(1);

    public Part {
      blocks = List.copyOf(blocks);
    }

    /** All of it, in flat buffers that divide into equal shards. */
    public static Part inShards(int shards) {
      return new Part(
          List.of(BlockRange.ALL),
          UnaryOperator.identity(),
          _ -> BucketKey.ONE_GROUP,
          _ -> shards,
          _ -> Residency.ALL,
          GradientForm.FP32,
          _ -> UpdateFactors.ONE,
          IntUnaryOperator.identity());
    }

    boolean contains(int block) {
      return blocks.stream().anyMatch(range -> range.contains(block));
    }
  }

  private ModelFactory() {}

  /** Declares and allocates a model; its weights are zero. */
  public static LanguageModel create(ModelConfig config, Allocation allocation) {
    ModelParts parts = declare(config, allocation.predictionDepth());
    Dtype tableDtype = allocation.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    RotaryTable rotary =
        new RotaryTable(
            RotaryFrequencies.of(config.rope(), rotatedWidth(config.attention())),
            RotaryFrequencies.amplitude(config.rope()),
            allocation.positions(),
            config.rope().interleaved(),
            tableDtype,
            allocation.device());
    try {
      ParameterStore store =
          parts
              .declarations()
              .allocate(
                  new ParameterStore.Storage(
                      allocation.dtype(),
                      allocation.device(),
                      allocation.part().shards(),
                      allocation.withGradients(),
                      allocation.part().group(),
                      allocation.part().residency(),
                      block ->
                          block > BlockRange.EMBEDDING && block <= config.layers()
                              ? allocation.part().gradients()
                              : GradientForm.FP32,
                      allocation.part().factors(),
                      allocation.part().bucketOf()),
                  spec -> holds(config, allocation, spec.block()),
                  allocation.part()::contains,
                  allocation.part().weight());
      return new LanguageModel(config, parts, allocation.part().blocks(), store, rotary);
    } catch (RuntimeException e) {
      rotary.close();
      throw e;
    }
  }

  /** The weights of a whole model, in the order of their declaration; nothing is allocated. */
  public static List<ParameterSpec> weights(ModelConfig config, int predictionDepth) {
    Shape shape = new Shape(config, predictionDepth);
    synchronized (WEIGHTS) {
      return WEIGHTS.computeIfAbsent(
          shape,
          it -> declared(it.config(), it.depth()).weights().stream().map(Weight::spec).toList());
    }
  }

  /** What decides over a model's weights. */
  private record Shape(ModelConfig config, int depth) {}

  /** Of the models that were asked for last: a search over layouts asks for one all the time. */
  private static final Map<Shape, List<ParameterSpec>> WEIGHTS =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Shape, List<ParameterSpec>> eldest) {
          return size() > 8;
        }
      };

  /** What a whole model declares; nothing is allocated. */
  public static Declared declared(ModelConfig config, int predictionDepth) {
    WeightDeclarations declarations = declare(config, predictionDepth).declarations();
    return new Declared(declarations.weights(), declarations.buffers());
  }

  /**
   * What a model consists of.
   *
   * @param weights in the order of their declaration
   * @param buffers state that no gradient changes
   */
  public record Declared(List<Weight> weights, List<StateBuffer> buffers) {}

  private static boolean holds(ModelConfig config, Allocation allocation, int block) {
    boolean usesEmbedding = config.tieEmbeddings() || allocation.predictionDepth() > 0;
    return allocation.part().contains(block)
        || (block == BlockRange.EMBEDDING
            && usesEmbedding
            && allocation.part().contains(BlockRange.ofLayer(config.layers())));
  }

  private static ModelParts declare(ModelConfig config, int predictionDepth) {
    WeightDeclarations weights = new WeightDeclarations(config.initializerRange());
    LayerDesign design = design(config);
    Section vocabulary = Section.of(Axis.VOCABULARY, config.vocabSize());
    Section hidden = Section.of(Axis.HIDDEN, config.hiddenSize());
    weights.enter(BlockRange.EMBEDDING);
    Weight embedding = weights.matrix("model.embed_tokens.weight", vocabulary, hidden);
    List<DecoderLayer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      weights.enter(BlockRange.ofLayer(layer));
      layers.add(layer(weights, "model.layers." + layer + ".", design, layer, config));
    }
    int output = BlockRange.ofLayer(config.layers());
    weights.enter(output);
    Weight norm = weights.scale("model.norm.weight", hidden);
    Weight head =
        config.tieEmbeddings() ? embedding : weights.matrix("lm_head.weight", vocabulary, hidden);
    List<MultiTokenPrediction> predictors = new ArrayList<>();
    for (int depth = 0; depth < predictionDepth; depth++) {
      int number = config.layers() + depth;
      weights.enter(output + 1 + depth);
      predictors.add(
          new MultiTokenPrediction(
              weights,
              "model.layers." + number + ".",
              config.hiddenSize(),
              config.rmsNormEps(),
              (declarations, prefix) -> layer(declarations, prefix, design, number, config)));
    }
    AdapterConfig adapter = config.adapter();
    if (adapter != null) {
      AdapterDeclarations.add(weights, adapter, config.layers());
    } else {
      FrozenWeights.freeze(weights, config.frozen());
    }
    int firstTrained =
        weights.weights().stream()
            .map(Weight::spec)
            .filter(ParameterSpec::trainable)
            .mapToInt(ParameterSpec::block)
            .min()
            .orElse(Integer.MAX_VALUE);
    return new ModelParts(weights, embedding, layers, norm, head, predictors, firstTrained);
  }

  private static DecoderLayer layer(
      WeightDeclarations weights,
      String prefix,
      LayerDesign design,
      int number,
      ModelConfig config) {
    return new DecoderLayer(
        weights,
        prefix,
        config.hiddenSize(),
        config.rmsNormEps(),
        (declarations, name) -> design.attention(declarations, name, number),
        (declarations, name) -> design.feedForward(declarations, name, number));
  }

  private static LayerDesign design(ModelConfig config) {
    return switch (config.architecture()) {
      case LLAMA, QWEN2, QWEN3 -> new Llama(config, groupedQuery(config));
      case DEEPSEEK_MOE -> new DeepseekMoe(config, groupedQuery(config));
      case DEEPSEEK_V2 -> new DeepseekV2(config, latent(config));
      case DEEPSEEK_V3 -> new DeepseekV3(config, latent(config));
    };
  }

  private static AttentionConfig.GroupedQuery groupedQuery(ModelConfig config) {
    if (config.attention() instanceof AttentionConfig.GroupedQuery heads) {
      return heads;
    }
    throw wrongAttention(config);
  }

  private static AttentionConfig.MultiHeadLatent latent(ModelConfig config) {
    if (config.attention() instanceof AttentionConfig.MultiHeadLatent heads) {
      return heads;
    }
    throw wrongAttention(config);
  }

  private static DuokaException wrongAttention(ModelConfig config) {
    return new DuokaException(
        ErrorCode.CONFIG,
        "the architecture " + config.architecture() + " does not have this kind of attention",
        "Check model_type in config.json");
  }

  private static int rotatedWidth(AttentionConfig attention) {
    return switch (attention) {
      case AttentionConfig.GroupedQuery heads -> heads.headDim();
      case AttentionConfig.MultiHeadLatent heads -> heads.qkRopeHeadDim();
    };
  }
}
