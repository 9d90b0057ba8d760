package dev.duoka.parallel.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.formats.modelconfig.Presets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainedWeightsTests {
  private static ModelConfig model(String preset, List<String> experts, List<String> whole) {
    NamePatterns modules = new NamePatterns.Ends(List.of("o_proj"));
    return Presets.named(preset)
        .with(
            new AdapterConfig(
                1,
                2,
                0,
                false,
                false,
                modules,
                NamePatterns.NONE,
                experts,
                List.of(),
                Map.of(),
                Map.of(),
                whole,
                BaseForm.DENSE));
  }

  /** Of a model with experts most weights rest while a token passes. */
  @Test
  void theShareIsOneOfTheWeightsThatATokenMeets() {
    ModelConfig model = model("deepseek-v2-lite", List.of(), List.of("lm_head"));
    double head = (double) model.vocabSize() * model.hiddenSize();
    double active = ParameterCounts.of(model).active() - head; // no product with the embedding
    TrainedWeights trained = TrainedWeights.of(model);
    assertThat(trained.share()).isCloseTo(head / active, within(0.001));
    assertThat((double) trained.count()).isCloseTo(head, within(0.001 * head));
  }

  /** Six of 64 are met. */
  @Test
  void ofExpertsAdaptersThoseThatATokenMeetsCount() {
    TrainedWeights without = TrainedWeights.of(model("deepseek-v2-lite", List.of(), List.of()));
    TrainedWeights with =
        TrainedWeights.of(model("deepseek-v2-lite", List.of("down_proj"), List.of()));
    ModelConfig model = Presets.named("deepseek-v2-lite");
    double active =
        ParameterCounts.of(model).active() - (double) model.vocabSize() * model.hiddenSize();
    double more = (double) (with.count() - without.count()) * 6 / 64;
    assertThat((with.share() - without.share()) * active).isCloseTo(more, within(0.01 * more));
  }
}
