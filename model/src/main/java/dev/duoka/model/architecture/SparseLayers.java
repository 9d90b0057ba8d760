package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.model.layer.DenseFeedForward;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.MixtureOfExperts;
import dev.duoka.model.weight.WeightDeclarations;

/** Which layers of a mixture-of-experts model are dense: the first ones. */
final class SparseLayers {
  private SparseLayers() {}

  static FeedForward feedForward(
      WeightDeclarations weights, String prefix, int layer, ModelConfig config) {
    MoeConfig moe = config.moe();
    return moe != null && config.isMoeLayer(layer)
        ? new MixtureOfExperts(weights, prefix, config.hiddenSize(), moe)
        : new DenseFeedForward(weights, prefix, config.hiddenSize(), config.intermediateSize());
  }
}
