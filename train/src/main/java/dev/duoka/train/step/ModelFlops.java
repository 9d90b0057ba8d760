package dev.duoka.train.step;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;

/**
 * The floating-point operations that training a model needs per token: 6 per active weight that a
 * product uses (the input embedding is a look-up), and attention's two products at their causal
 * half, three times over for forward and backward. Recomputation does not count.
 */
public final class ModelFlops {
  private ModelFlops() {}

  /** FLOPs per token at sequences of {@code length} tokens. */
  public static double perToken(ModelConfig config, int length) {
    double weights =
        ParameterCounts.of(config).active()
            - (config.tieEmbeddings() ? 0.0 : (double) config.vocabSize() * config.hiddenSize());
    double widths =
        switch (config.attention()) {
          case AttentionConfig.GroupedQuery heads -> 2.0 * heads.heads() * heads.headDim();
          case AttentionConfig.MultiHeadLatent heads ->
              (double) heads.heads() * (heads.qkHeadDim() + heads.vHeadDim());
        };
    double attention = config.layers() * widths * 2 * (length + 1) / 2.0;
    return 6 * weights + 3 * attention;
  }
}
