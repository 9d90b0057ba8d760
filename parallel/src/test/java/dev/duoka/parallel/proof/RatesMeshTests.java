package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.UpdateRules;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers with rates of their own are trained on each mesh as on one rank. */
class RatesMeshTests {
  private static final UpdateRules RULES =
      new UpdateRules(
          List.of(rate("layers[1:3].mlp", 0.25), rate("embed_tokens", 3), rate("mlp", 2)),
          0.5,
          false);

  private static UpdateRules.Rate rate(String path, double factor) {
    return new UpdateRules.Rate(new NamePatterns.Within(List.of(path)), factor);
  }

  /** The factor of the rate of a weight of four layers, written out. */
  private static double factor(String name) {
    boolean mlp = name.contains(".mlp.");
    if (name.startsWith("model.embed_tokens")) {
      return 0.0625 * 3;
    } else if (name.startsWith("model.layers.0.")) {
      return 0.125 * (mlp ? 2 : 1);
    } else if (name.startsWith("model.layers.1.")) {
      return 0.25 * (mlp ? 0.25 : 1);
    } else if (name.startsWith("model.layers.2.")) {
      return 0.5 * (mlp ? 0.25 : 1);
    }
    return mlp ? 2 : 1; // layer 3, the norm, the head and what predicts further tokens
  }

  private static Training.Outcome run(Trial trial, UpdateRules rules) {
    Training plain = trial.training();
    return new Training(
            plain.settings().with(rules),
            plain.mesh(),
            plain.microBatch(),
            plain.accumulation(),
            plain.steps(),
            plain.seed(),
            plain.apart())
        .run(trial::onRanks);
  }

  private static Trial trial(String model, Mesh mesh, PipelineKind kind, int zero, int steps) {
    ModelConfig config = Draw.model(model, 4, 2);
    PipelineSettings stages = new PipelineSettings(kind, 1, List.of());
    return new Trial(config, mesh, stages, Recompute.NONE, zero, 24, 2, 2, steps);
  }

  /** The first step of AdamW in its closed form: both moments are those of one gradient. */
  @ParameterizedTest
  @CsvSource({"dense", "v3 mtp", "v2"})
  void theFirstStepIsThatOfItsClosedForm(String model) {
    Mesh one = new Mesh(1, 1, 1, 1, 1, 1);
    Training.Outcome outcome = run(trial(model, one, PipelineKind.ONE_F_ONE_B, 0, 1), RULES);
    outcome
        .start()
        .forEach(
            (name, start) -> {
              double decay = name.contains("norm") ? 0 : 0.1;
              double rate = Training.LEARNING_RATE * factor(name);
              double[] gradient = Objects.requireNonNull(outcome.gradients().get(name));
              double[] end = Objects.requireNonNull(outcome.weights().get(name));
              for (int i = 0; i < start.length; i++) {
                double step = gradient[i] / (Math.abs(gradient[i]) + 1e-8) + decay * start[i];
                assertThat(end[i]).as(name).isCloseTo(start[i] - rate * step, within(1e-12));
              }
            });
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 1, 1, ONE_F_ONE_B",
    "dense, 2, 2, 1, 1, 1, 3, ONE_F_ONE_B",
    "dense tied, 1, 2, 2, 1, 1, 0, ZERO_BUBBLE",
    "v3 mtp, 2, 2, 1, 1, 2, 2, ONE_F_ONE_B",
    "v3 mtp tied, 2, 1, 2, 1, 2, 1, ONE_F_ONE_B",
    "v2, 1, 2, 1, 2, 1, 0, ONE_F_ONE_B",
  })
  void trainsAsOnOneRank(
      String model,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      PipelineKind kind) {
    Mesh mesh = new Mesh(pipeline, 1, data, context, tensor, expert);
    Trial trial = trial(model, mesh, kind, zero, 3);
    Training.Outcome one = run(trial.onOneRank(), RULES);
    assertThat(Equality.FP64.differences(run(trial, RULES), one)).isEmpty();
    assertThat(Equality.FP64.differences(run(trial.onOneRank(), UpdateRules.NONE), one))
        .extracting(Equality.Difference::name)
        .contains("weight model.layers.1.self_attn.o_proj.weight");
  }

  @Test
  void aPartOfAWeightHasNoRateOfItsOwn() {
    UpdateRules rules = new UpdateRules(List.of(rate("q_proj", 2)), 1, true);
    assertThatThrownBy(() -> rules.of(Draw.model("dense", 4, 2), 0))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("only some of [model.layers.0.self_attn.q_proj");
  }
}
