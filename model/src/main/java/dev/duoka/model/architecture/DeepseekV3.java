package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/**
 * DeepSeek-V3 (arXiv:2412.19437): V2's attention, experts chosen by sigmoid scores plus a bias that
 * evens out their load, and modules that predict further tokens.
 */
public record DeepseekV3(ModelConfig config, AttentionConfig.MultiHeadLatent heads)
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
