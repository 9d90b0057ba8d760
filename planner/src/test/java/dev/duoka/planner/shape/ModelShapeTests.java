package dev.duoka.planner.shape;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.planner.layout.Stage;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class ModelShapeTests {
  static List<String> presets() {
    return Presets.names();
  }

  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 6.910, 6.910",
    "deepseek-llm-67b, 67.425, 67.425",
    "deepseek-v2-lite, 15.706, 2.661",
    "deepseek-v2, 235.741, 21.375",
    "deepseek-v3, 671.026, 37.552"
  })
  void parametersAreThePublishedOnes(String preset, double billions, double active) {
    ModelShape shape = ModelShape.of(Presets.named(preset));
    assertThat(shape.parameters() / 1e9).isCloseTo(billions, within(0.0006));
    assertThat(shape.activeParameters() / 1e9).isCloseTo(active, within(0.03));
  }

  @ParameterizedTest
  @MethodSource("presets")
  void theProductsAddUpToTheParameters(String preset) {
    ModelShape shape = ModelShape.of(Presets.named(preset));
    ParameterCounts counts = ParameterCounts.of(shape.config());
    for (int i = 0; i < shape.layers(); i++) {
      assertThat(shape.layer(i).parameters()).isEqualTo(counts.layers().get(i).total());
      assertThat(shape.layer(i).activeParameters()).isEqualTo(counts.layers().get(i).active());
    }
  }

  @ParameterizedTest
  @MethodSource("presets")
  void stagesHoldEveryLayerOnce(String preset) {
    ModelShape shape = ModelShape.of(Presets.named(preset));
    for (int count = 1; count <= Math.min(16, shape.layers()); count++) {
      List<Stage> stages = Stage.split(shape, count);
      assertThat(stages).hasSize(count);
      assertThat(stages.stream().mapToInt(Stage::layers).sum()).isEqualTo(shape.layers());
      int most = stages.stream().mapToInt(Stage::layers).max().orElseThrow();
      int least = stages.stream().mapToInt(Stage::layers).min().orElseThrow();
      assertThat(most - least).isLessThanOrEqualTo(1);
      assertThat(stages.stream().filter(Stage::first)).hasSize(1);
      assertThat(stages.stream().filter(Stage::last)).hasSize(1);
    }
  }

  /** GFLOP per token, and attention's share of it. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-v2-lite, 4096, 16.4",
    "deepseek-v2-lite, 32768, 28.3",
    "deepseek-v2, 4096, 155",
    "deepseek-v2, 32768, 367",
    "deepseek-v3, 4096, 250",
    "deepseek-v3, 32768, 465"
  })
  void flopsAreThoseOfTheTable(String preset, int length, double gigaflops) {
    ModelShape shape = ModelShape.of(Presets.named(preset));
    assertThat(shape.flopsPerToken(length, false, true) / 1e9)
        .isCloseTo(gigaflops, within(0.02 * gigaflops));
    assertThat(shape.flopsPerToken(length, false, false))
        .isGreaterThan(shape.flopsPerToken(length, false, true));
  }
}
