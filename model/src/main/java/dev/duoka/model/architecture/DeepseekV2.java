package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/**
 * DeepSeek-V2 (arXiv:2405.04434): multi-head latent attention, and experts chosen by softmax scores
 * from the best groups.
 */
public record DeepseekV2(ModelConfig config, AttentionConfig.MultiHeadLatent heads)
    implements LayerDesign {
  @Override
  public SelfAttention attention(WeightDeclarations weights, String prefix, int layer) {
    return LatentLayers.attention(weights, prefix, layer, config, heads);
  }

  @Override
  public FeedForward feedForward(WeightDeclarations weights, String prefix, int layer) {
    return SparseLayers.feedForward(weights, prefix, layer, config);
  }
}
