package dev.duoka.formats.modelconfig;

/**
 * Rotary position embedding (arXiv 2104.09864).
 *
 * @param theta the base of the frequencies
 * @param scaling how frequencies are stretched for positions beyond those trained on
 * @param interleaved whether a rotated pair is elements (2i, 2i+1), as in DeepSeek-V2 and V3, or
 *     elements (i, i + dim/2), as in Llama and DeepSeek-MoE
 */
public record RopeConfig(double theta, RopeScaling scaling, boolean interleaved) {
  public RopeConfig {
    ConfigLimits.positive("rope_theta", theta);
  }
}
