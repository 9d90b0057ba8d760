package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ModelFlopsTests {
  private static final ModelConfig MODEL = Presets.named("deepseek-coder-1.3b");

  /** 1,280,411,648 weights but the input embedding; 24 layers attend to 2048.5 keys of 2048. */
  @Test
  void trainingAllWeightsIsSixForEachAndAttention() {
    assertThat(ModelFlops.perToken(MODEL, 4096))
        .isCloseTo(6 * 1_280_411_648.0 + 3 * 24 * 4 * 2048.5 * 2048, within(1.0));
  }

  @Test
  void frozenWeightsNeedNoGradientsOfTheirOwn() {
    double all = ModelFlops.perToken(MODEL, 4096);
    assertThat(ModelFlops.perTokenOfPart(MODEL, 4096, 1)).isEqualTo(all);
    assertThat(all - ModelFlops.perTokenOfPart(MODEL, 4096, 0))
        .isCloseTo(2 * 1_280_411_648.0, within(1.0));
    assertThat(all - ModelFlops.perTokenOfPart(MODEL, 4096, 0.25))
        .isCloseTo(1.5 * 1_280_411_648.0, within(1.0));
  }
}
