package dev.duoka.model.architecture;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.DenseFeedForward;
import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.GroupedQueryAttention;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/**
 * Llama's layers: those of DeepSeek-LLM (arXiv:2401.02954), with grouped queries in the larger
 * models, and DeepSeek-Coder (arXiv:2401.14196); of Qwen2 and Qwen3, too, which DeepSeek-R1 was
 * distilled into (arXiv:2501.12948).
 */
public record Llama(ModelConfig config, AttentionConfig.GroupedQuery heads) implements LayerDesign {
  @Override
  public SelfAttention attention(WeightDeclarations weights, String prefix, int layer) {
    return new GroupedQueryAttention(
        weights, prefix, layer, config.hiddenSize(), config.rmsNormEps(), heads);
  }

  @Override
  public FeedForward feedForward(WeightDeclarations weights, String prefix, int layer) {
    return new DenseFeedForward(weights, prefix, config.hiddenSize(), config.intermediateSize());
  }
}
