package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.testing.LedgerSnapshot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The published models, declared on {@code meta}: no memory, but every weight. */
class PublishedModelsTests {
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 6910365696",
    "deepseek-llm-67b, 67425001472",
    "deepseek-coder-1.3b, 1346471936",
    "deepseek-coder-6.7b, 6740512768",
    "deepseek-moe-16b, 16375728128",
    "deepseek-v2-lite, 15706484224",
    "deepseek-v2, 235741434880",
    "deepseek-v3, 671026404352"
  })
  void haveThePublishedSizes(String preset, long parameters) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.META);
    assertThat(LanguageModelTests.elements(Presets.named(preset), 0)).isEqualTo(parameters);
    before.assertUnchanged();
  }

  @Test
  void v3HasItsModuleForFurtherTokens() {
    ModelConfig config = Presets.named("deepseek-v3");
    assertThat(LanguageModelTests.elements(config, 1)).isEqualTo(671026404352L + 11610067968L);
  }
}
