package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.MultiHeadLatentAttention;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/** The attention that DeepSeek-V2 and V3 have in common. */
final class LatentLayers {
  private LatentLayers() {}

  static SelfAttention attention(
      WeightDeclarations weights,
      String prefix,
      int layer,
      ModelConfig config,
      AttentionConfig.MultiHeadLatent heads) {
    return new MultiHeadLatentAttention(
        weights,
        prefix,
        layer,
        config.hiddenSize(),
        heads,
        config.rope().scaling(),
        config.rmsNormEps());
  }
}
