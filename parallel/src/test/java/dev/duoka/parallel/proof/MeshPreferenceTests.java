package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pairs of unequal lengths train on each mesh as on one rank: a loss is averaged over pairs. */
class MeshPreferenceTests {
  private static final PreferenceLoss.Terms TERMS = new PreferenceLoss.Terms(0.3, 0.1, 0.5);

  private static final Map<Training, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  private static Training comparing(Trial trial, PreferenceLoss.Terms terms, int empty) {
    StepSettings settings = trial.settings().comparing(terms);
    return new Training(
        settings,
        trial.mesh(),
        trial.microBatch(),
        trial.accumulation(),
        trial.steps(),
        0,
        false,
        empty);
  }

  private static Training.Outcome alone(Trial trial, int empty) {
    Trial one = trial.onOneRank();
    Trial full =
        new Trial(
            one.model(),
            one.mesh(),
            one.pipeline(),
            one.recompute(),
            0,
            one.length(),
            one.microBatch(),
            one.accumulation() - empty,
            one.steps());
    return ALONE.computeIfAbsent(comparing(full, TERMS, 0), it -> it.run(full::onRanks));
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 1, 3, 1, NONE, 0",
    "dense, 2, 1, 1, 1, 1, 2, 3, FULL, 0",
    "dense, 3, 1, 1, 1, 1, 2, 1, NONE, 1",
    "dense, 1, 1, 2, 1, 1, 3, 0, SELECTIVE, 0",
    "dense, 1, 2, 1, 1, 1, 3, 0, NONE, 0",
    "dense, 1, 2, 2, 1, 1, 3, 1, FULL, 0",
    "dense, 1, 1, 1, 2, 1, 3, 0, NONE, 0",
    "moe, 2, 1, 2, 1, 2, 2, 2, SELECTIVE, 0",
    "v2, 2, 1, 1, 2, 2, 2, 2, NONE, 0",
  })
  void asOneRank(
      String model,
      int data,
      int context,
      int tensor,
      int pipeline,
      int expert,
      int accumulation,
      int zero,
      Recompute recompute,
      int empty) {
    ModelConfig config = Draw.model(model, 4, 2);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, context, tensor, expert),
            PipelineSettings.DEFAULT,
            recompute,
            zero,
            24,
            4,
            accumulation,
            3);
    Training.Outcome shared = comparing(trial, TERMS, empty).run(trial::onRanks);
    assertThat(Equality.FP64.differences(shared, alone(trial, empty))).isEmpty();
  }

  /** Its gradients need the logits twice, as those of a head that is trained whole do. */
  @ParameterizedTest
  @CsvSource({"2, 1, 3", "1, 2, 0", "2, 2, 1"})
  void ofAnAdaptedHeadAsOneRank(int data, int tensor, int zero) {
    Trial trial =
        new Trial(
            AdapterMeshTests.ofHead("dense", true, 0.1),
            new Mesh(1, 1, data, 1, tensor, 1),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            zero,
            24,
            4,
            2,
            3);
    Training.Outcome shared = comparing(trial, TERMS, 0).run(trial::onRanks);
    assertThat(shared.gradients()).containsKeys("lm_head.lora_A", "lm_head.lora_B");
    assertThat(Equality.FP64.differences(shared, alone(trial, 0))).isEmpty();
  }

  /** The comparison itself can fail: another weight of the chosen sequence is seen. */
  @Test
  void anotherWeightIsSeen() {
    Trial trial =
        new Trial(
            Draw.model("dense", 4, 2),
            new Mesh(1, 1, 2, 1, 1, 1),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            1,
            24,
            4,
            3,
            3);
    PreferenceLoss.Terms other =
        new PreferenceLoss.Terms(TERMS.beta(), TERMS.labelSmoothing(), TERMS.chosenWeight() + 1e-6);
    Training.Outcome shared = comparing(trial, other, 0).run(trial::onRanks);
    assertThat(Equality.FP64.differences(shared, alone(trial, 0))).isNotEmpty();
  }
}
