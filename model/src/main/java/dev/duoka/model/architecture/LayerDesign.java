package dev.duoka.model.architecture;

import dev.duoka.model.layer.FeedForward;
import dev.duoka.model.layer.SelfAttention;
import dev.duoka.model.weight.WeightDeclarations;

/** Makes the parts of an architecture's decoder layers. */
public sealed interface LayerDesign permits Llama, DeepseekMoe, DeepseekV2, DeepseekV3 {
  /** The attention of layer number {@code layer}. */
  SelfAttention attention(WeightDeclarations weights, String prefix, int layer);

  /** The feed-forward part of layer number {@code layer}. */
  FeedForward feedForward(WeightDeclarations weights, String prefix, int layer);
}
