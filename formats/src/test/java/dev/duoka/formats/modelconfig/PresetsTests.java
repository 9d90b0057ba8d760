package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class PresetsTests {
  static final List<String> NAMES = Presets.names();

  @ParameterizedTest
  @FieldSource("NAMES")
  void everyNameHasAConfig(String name) {
    assertThat(Presets.named(name).vocabSize()).isPositive();
  }

  @Test
  void namesTheNearestPreset() {
    assertThatThrownBy(() -> Presets.named("deepseek-v3-lite"))
        .hasMessageContaining("no model preset 'deepseek-v3-lite'")
        .hasMessageContaining("Did you mean 'deepseek-v2-lite'? Presets: deepseek-llm-7b, ")
        .hasMessageEndingWith("tiny-v3.");
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, LLAMA, 635776",
    "tiny-moe, DEEPSEEK_MOE, 579744",
    "tiny-v2, DEEPSEEK_V2, 576000",
    "tiny-v3, DEEPSEEK_V3, 1901344",
  })
  void tinyOnesAreTinyAndReadBytes(String name, Architecture architecture, long parameters) {
    ModelConfig config = Presets.named(name);
    assertThat(config.architecture()).isEqualTo(architecture);
    assertThat(config.vocabSize()).isEqualTo(320);
    assertThat(ParameterCounts.of(config).totalWithMtp()).isEqualTo(parameters);
  }

  @Test
  void v3IsAsPublished() {
    ModelConfig v3 = Presets.named("deepseek-v3");
    assertThat(v3.attention())
        .isEqualTo(new AttentionConfig.MultiHeadLatent(128, 1536, 512, 128, 64, 128));
    assertThat(v3.rope())
        .isEqualTo(new RopeConfig(10000, new RopeScaling.Yarn(40, 4096, 32, 1, 1, 1), true));
    assertThat(v3.moe())
        .isEqualTo(
            new MoeConfig(
                256,
                8,
                1,
                2048,
                3,
                1,
                MoeConfig.Scoring.SIGMOID,
                MoeConfig.Selection.BIAS_CORRECTED,
                8,
                4,
                true,
                2.5,
                0.001,
                true));
    assertThat(v3.mtpModules()).isEqualTo(1);
  }

  @Test
  void coderStretchesItsPositions() {
    assertThat(Presets.named("deepseek-coder-1.3b").rope())
        .isEqualTo(new RopeConfig(100000, new RopeScaling.Linear(4), false));
  }
}
