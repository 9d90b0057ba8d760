package dev.duoka.formats.modelconfig;

/**
 * What an absent key of {@code config.json} means, for each model type.
 *
 * <p>Sources: transformers 5 {@code configuration_llama.py}, {@code configuration_qwen2.py}, {@code
 * configuration_qwen3.py}, {@code configuration_deepseek_v2.py}, {@code
 * configuration_deepseek_v3.py}; for {@code deepseek}, which transformers does not have, the {@code
 * configuration_deepseek.py} that DeepSeek publishes beside its weights. Number names are the keys
 * they stand for; 0 experts mean a dense model.
 */
record ConfigDefaults(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int maxPositions,
    int bosTokenId,
    int eosTokenId,
    int routedExperts,
    int expertsPerToken,
    int sharedExperts,
    int expertIntermediateSize,
    int firstDenseLayers,
    int groups,
    int topkGroups,
    boolean normalizeTopk,
    double scalingFactor,
    int mtpModules) {

  private static final ConfigDefaults LLAMA =
      new ConfigDefaults(
          32000, 4096, 11008, 32, 32, 2048, 1, 2, 0, 0, 0, 0, 0, 1, 1, false, 1.0, 0);
  private static final ConfigDefaults QWEN =
      new ConfigDefaults(
          151936, 4096, 22016, 32, 32, 32768, -1, -1, 0, 0, 0, 0, 0, 1, 1, false, 1.0, 0);
  private static final ConfigDefaults DEEPSEEK_MOE =
      new ConfigDefaults(
          102400, 4096, 11008, 30, 32, 2048, 100000, 100001, 0, 0, 0, 1407, 0, 1, 1, false, 1.0, 0);
  private static final ConfigDefaults DEEPSEEK_V2 =
      new ConfigDefaults(
          32000, 4096, 11008, 32, 32, 2048, 1, 2, 64, 0, 2, 1407, 0, 1, 1, false, 1.0, 0);
  private static final ConfigDefaults DEEPSEEK_V3 =
      new ConfigDefaults(
          129280, 7168, 18432, 61, 128, 4096, 0, 1, 256, 8, 1, 2048, 3, 8, 4, true, 2.5, 1);

  static ConfigDefaults of(Architecture architecture) {
    return switch (architecture) {
      case LLAMA -> LLAMA;
      case QWEN2, QWEN3 -> QWEN;
      case DEEPSEEK_MOE -> DEEPSEEK_MOE;
      case DEEPSEEK_V2 -> DEEPSEEK_V2;
      case DEEPSEEK_V3 -> DEEPSEEK_V3;
    };
  }
}
