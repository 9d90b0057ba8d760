package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.DenseFeedForward;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.GroupedQueryAttention;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/**
 * DeepSeek-LLM (arXiv:2401.02954) and DeepSeek-Coder (arXiv:2401.14196): Llama's layers, grouped
 * queries in the larger models.
 */
public record DeepseekLlm(ModelConfig config, AttentionConfig.GroupedQuery heads)
    implements LayerDesign {
  @Override
  public SelfAttention attention(WeightDeclarations weights, String prefix, int layer) {
    return new GroupedQueryAttention(weights, prefix, layer, config.hiddenSize(), heads);
  }

  @Override
  public FeedForward feedForward(WeightDeclarations weights, String prefix, int layer) {
    return new DenseFeedForward(weights, prefix, config.hiddenSize(), config.intermediateSize());
  }
}
