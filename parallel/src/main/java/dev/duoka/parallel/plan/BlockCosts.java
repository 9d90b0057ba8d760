package dev.duoka.parallel.plan;

import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.BlockRange;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks of a model cost to compute, in floating-point operations of a forward pass per
 * token: twice the weights that a token meets, and attention. Blocks before all that is trained
 * have no backward pass, and count for a third.
 *
 * @param layers of each decoder layer
 * @param first of the embedding, which only looks up
 * @param last of the output head, and of the modules that predict further tokens with theirs
 */
record BlockCosts(List<Double> layers, double first, double last) {
  /** Of a block without a backward pass, which has two products for each of the forward pass. */
  private static final double FORWARD_ALONE = 1.0 / 3;

  static BlockCosts of(ModelConfig model, int length, int predictionDepth) {
    double[] layers = new double[model.layers()];
    double attention = attention(model.attention(), length);
    Arrays.fill(layers, attention);
    int output = BlockRange.ofLayer(model.layers());
    double head = 2.0 * model.vocabSize() * model.hiddenSize();
    double last = head * (1 + predictionDepth) + attention * predictionDepth;
    List<ParameterSpec> weights = ModelFactory.weights(model, predictionDepth);
    for (ParameterSpec weight : weights) {
      if (weight.sections().size() < 2) {
        continue;
      }
      double cost = 2.0 * weight.elements() * share(weight, model.moe());
      if (weight.block() > BlockRange.EMBEDDING && weight.block() < output) {
        layers[weight.block() - BlockRange.ofLayer(0)] += cost;
      } else if (weight.block() > output) {
        last += cost;
      }
    }
    int firstTrained =
        weights.stream()
            .filter(ParameterSpec::trainable)
            .mapToInt(ParameterSpec::block)
            .min()
            .orElse(BlockRange.EMBEDDING);
    for (int layer = 0; layer < layers.length; layer++) {
      if (BlockRange.ofLayer(layer) < firstTrained) {
        layers[layer] *= FORWARD_ALONE;
      }
    }
    return new BlockCosts(Arrays.stream(layers).boxed().toList(), 0, last);
  }

  /** The share of a weight that one token meets. */
  private static double share(ParameterSpec weight, @Nullable MoeConfig moe) {
    return moe != null && WeightPlan.isRoutedExperts(weight)
        ? (double) moe.expertsPerToken() / moe.routedExperts()
        : 1;
  }

  /** Two products over half of the sequence, as causal attention has it. */
  private static double attention(AttentionConfig attention, int length) {
    return switch (attention) {
      case AttentionConfig.GroupedQuery heads -> 2.0 * length * heads.heads() * heads.headDim();
      case AttentionConfig.MultiHeadLatent heads ->
          1.0 * length * heads.heads() * (heads.qkHeadDim() + heads.vHeadDim());
    };
  }
}
