package dev.duoka.formats.modelconfig;

/**
 * The floating-point operations that training a model needs per token: so many per active weight
 * that a product uses (the input embedding is a look-up), and attention's two products three times
 * over for forward and backward. Recomputation does not count.
 */
public final class ModelFlops {
  /** Forward 2, gradients of inputs and of weights 2 each. */
  public static final int PER_WEIGHT = 6;

  /** As {@link #PER_WEIGHT} without gradients of the weights. */
  public static final int PER_FROZEN_WEIGHT = 4;

  private ModelFlops() {}

  /**
   * FLOPs per token of training all weights at sequences of {@code length} tokens, attention at its
   * causal half.
   */
  public static double perToken(ModelConfig config, int length) {
    return perToken(config, PER_WEIGHT, (length + 1) / 2.0);
  }

  /**
   * As {@link #perToken(ModelConfig, int)}, where some weights are frozen: those need no gradients
   * of their own. What adapters multiply beside them, a percent or so, counts in their gradients
   * alone.
   *
   * @param trained share of the weights that are trained, from 0 to 1
   */
  public static double perTokenOfPart(ModelConfig config, int length, double trained) {
    return partlyTrained(config, trained, (length + 1) / 2.0);
  }

  /**
   * As {@link #perTokenOfPart}, of any attention.
   *
   * @param trained share of the weights that are trained, from 0 to 1
   * @param keys that a token attends to, the mean over the sequence
   */
  public static double partlyTrained(ModelConfig config, double trained, double keys) {
    double all = perToken(config, PER_WEIGHT, keys);
    double frozen = perToken(config, PER_FROZEN_WEIGHT, keys);
    return frozen + trained * (all - frozen);
  }

  /**
   * FLOPs per token.
   *
   * @param perWeight of an active weight
   * @param keys that a token attends to, the mean over the sequence
   */
  public static double perToken(ModelConfig config, int perWeight, double keys) {
    double weights =
        ParameterCounts.of(config).active()
            - (config.tieEmbeddings() ? 0.0 : (double) config.vocabSize() * config.hiddenSize());
    AttentionShape attention = AttentionShape.of(config.attention(), config.hiddenSize());
    return perWeight * weights + 3 * config.layers() * attention.flops(keys);
  }
}
