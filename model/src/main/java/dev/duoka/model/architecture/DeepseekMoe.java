package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.GroupedQueryAttention;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/** DeepSeekMoE (arXiv:2401.06066): Llama's attention, many small experts and shared ones. */
public record DeepseekMoe(ModelConfig config, AttentionConfig.GroupedQuery heads)
    implements LayerDesign {
  @Override
  public SelfAttention attention(WeightDeclarations weights, String prefix, int layer) {
    return new GroupedQueryAttention(
        weights, prefix, layer, config.hiddenSize(), config.rmsNormEps(), heads);
  }

  @Override
  public FeedForward feedForward(WeightDeclarations weights, String prefix, int layer) {
    return SparseLayers.feedForward(weights, prefix, layer, config);
  }
}
