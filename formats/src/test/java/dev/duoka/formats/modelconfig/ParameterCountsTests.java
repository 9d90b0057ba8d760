package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.Goldens;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class ParameterCountsTests {
  static final List<String> NAMES = Goldens.NAMES;

  /**
   * The published sizes: 7, 67, 1.3, 6.7, 16.4 (2.8), 15.7 (2.4 without embedding), 236 (21), 671
   * (37).
   */
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 6910365696, 6910365696",
    "deepseek-llm-67b, 67425001472, 67425001472",
    "deepseek-coder-1.3b, 1346471936, 1346471936",
    "deepseek-coder-33b, 33342991360, 33342991360",
    "deepseek-coder-6.7b, 6740512768, 6740512768",
    "deepseek-moe-16b, 16375728128, 2828650496",
    "deepseek-v2-lite, 15706484224, 2661150208",
    "deepseek-v2, 235741434880, 21375800320",
    "deepseek-v3, 671026404352, 37552282624",
    "deepseek-r1-distill-qwen-1.5b, 1777088000, 1777088000",
    "deepseek-r1-distill-qwen-7b, 7615616512, 7615616512",
    "deepseek-r1-distill-qwen-14b, 14770033664, 14770033664",
    "deepseek-r1-distill-qwen-32b, 32763876352, 32763876352",
    "deepseek-r1-distill-llama-8b, 8030261248, 8030261248",
    "deepseek-r1-distill-llama-70b, 70553706496, 70553706496",
  })
  void countsPublishedModels(String preset, long total, long active) {
    ParameterCounts counts = ParameterCounts.of(Presets.named(preset));
    assertThat(counts.total()).isEqualTo(total);
    assertThat(counts.active()).isEqualTo(active);
  }

  @Test
  void countsTheMtpModuleApart() {
    ParameterCounts v3 = ParameterCounts.of(Presets.named("deepseek-v3"));
    // A whole MoE layer, of 11.507 billion, and the projection of two vectors to one.
    assertThat(v3.mtp()).containsExactly(11610067968L);
    assertThat(v3.totalWithMtp()).isEqualTo(671026404352L + 11610067968L);
    assertThat(v3.layers().getLast().total()).isEqualTo(11507286016L);
  }

  @Test
  void countsATiedHeadOnce() {
    ModelConfig config = Presets.named("tiny-llama");
    ModelConfig tied =
        new ModelConfig(
            config.architecture(),
            config.vocabSize(),
            config.hiddenSize(),
            config.layers(),
            config.maxPositions(),
            config.rmsNormEps(),
            config.initializerRange(),
            true,
            config.attention(),
            config.rope(),
            config.intermediateSize(),
            config.moe(),
            config.mtpModules(),
            config.bosTokenId(),
            config.eosTokenId());
    assertThat(ParameterCounts.of(config).total() - ParameterCounts.of(tied).total())
        .isEqualTo((long) config.vocabSize() * config.hiddenSize());
  }

  /** What the formula says is what the file of another implementation holds. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void agreesWithTheWeightsOfTheGoldens(String name) {
    ModelConfig config = ModelConfigReader.read(Goldens.folder(name));
    try (SafetensorsFolder weights = SafetensorsFolder.open(Goldens.folder(name))) {
      long stored =
          weights.tensors().stream()
              .filter(tensor -> !tensor.name().endsWith("e_score_correction_bias"))
              .mapToLong(tensor -> tensor.elements())
              .sum();
      assertThat(ParameterCounts.of(config).total()).isEqualTo(stored);
    }
  }
}
