package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The noise of embeddings is the same on each mesh as on one rank, and in training alone. */
class NoiseMeshTests {
  private static final double ALPHA = 10;

  private static Trial trial(
      String model, Mesh mesh, PipelineKind kind, Recompute recompute, int zero) {
    ModelConfig config = Draw.model(model, 4, 2);
    PipelineSettings stages = new PipelineSettings(kind, 1, List.of());
    return new Trial(config, mesh, stages, recompute, zero, 24, 2, 2, 3);
  }

  private static Training.Outcome run(Trial trial, double alpha) {
    Training plain = trial.training();
    return new Training(
            plain.settings().withNoise(alpha),
            plain.mesh(),
            plain.microBatch(),
            plain.accumulation(),
            plain.steps(),
            plain.seed(),
            plain.apart())
        .run(trial::onRanks);
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 1, 0, NONE, ONE_F_ONE_B",
    "dense, 1, 2, 1, 1, 1, 0, SELECTIVE, ONE_F_ONE_B",
    "dense, 1, 1, 1, 2, 1, 0, FULL, ONE_F_ONE_B",
    "dense tied, 2, 2, 2, 1, 1, 1, NONE, ZERO_BUBBLE",
    "v3 mtp, 2, 2, 1, 1, 2, 3, FULL, ONE_F_ONE_B",
    "v2, 1, 2, 1, 2, 1, 0, SELECTIVE, ONE_F_ONE_B",
  })
  void trainsAsOnOneRank(
      String model,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind kind) {
    Mesh mesh = new Mesh(pipeline, 1, data, context, tensor, expert);
    Trial trial = trial(model, mesh, kind, recompute, zero);
    Training.Outcome one = run(trial.onOneRank(), ALPHA);
    assertThat(Equality.FP64.differences(run(trial, ALPHA), one)).isEmpty();
    assertThat(Equality.FP64.differences(run(trial.onOneRank(), 0), one))
        .extracting(Equality.Difference::name)
        .contains("loss of step 0", "loss of step 2");
  }

  /** Each step has other noise on the same tokens; what is evaluated has none. */
  @Test
  void isOfTrainingAlone() {
    Mesh one = new Mesh(1, 1, 1, 1, 1, 1);
    Trial trial = trial("dense", one, PipelineKind.ONE_F_ONE_B, Recompute.NONE, 0);
    List<List<Double>> losses = new ArrayList<>();
    for (double alpha : new double[] {ALPHA, 0}) {
      StepSettings settings = trial.settings().withNoise(alpha);
      trial.onRanks(
          (world, device) -> {
            try (TrainingRank rank = TrainingRank.allocate(one, world, device, settings)) {
              rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 1));
              Training training = trial.training();
              List<Double> found = new ArrayList<>();
              found.add(
                  rank.step()
                      .evaluator()
                      .losses(1, () -> training.batch(0, 0).microBatches().getFirst())
                      .mean());
              for (int step = 0; step < 3; step++) { // a rate of 0 leaves the weights as they are
                found.add(rank.step().run(training.batch(0, 0), 0).loss());
              }
              losses.add(found);
            }
          });
    }
    List<Double> noisy = losses.getFirst();
    List<Double> plain = losses.getLast();
    assertThat(noisy.getFirst()).isEqualTo(plain.getFirst());
    assertThat(plain.subList(1, 4)).containsOnly(plain.get(1));
    assertThat(noisy.subList(1, 4)).doesNotHaveDuplicates().doesNotContain(plain.get(1));
  }
}
