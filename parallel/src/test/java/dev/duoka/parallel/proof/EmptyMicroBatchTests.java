package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that do not divide a step's micro-batches take the very step of one that has them all. */
class EmptyMicroBatchTests {
  @ParameterizedTest
  @CsvSource({
    "dense, 3, 1, 1, 1, 2, 1",
    "dense, 3, 1, 1, 1, 3, 2",
    "v2, 3, 1, 1, 1, 2, 1",
    "moe, 3, 1, 1, 1, 2, 1",
    "v3 mtp, 3, 1, 1, 1, 3, 1",
    "v3 mtp, 3, 2, 1, 2, 2, 1",
    "v3 mtp, 3, 1, 2, 1, 2, 1",
  })
  void asOneRank(
      String model, int data, int tensor, int pipeline, int expert, int accumulation, int empty) {
    ModelConfig config = Draw.model(model, 4, 2);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, 1, tensor, expert),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            1,
            24,
            2,
            accumulation,
            3);
    Trial alone =
        new Trial(
            config,
            new Mesh(1, 1, 1, 1, 1, 1),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            0,
            24,
            2,
            accumulation * data - empty,
            3);
    Training shared = trial.training();
    Training.Outcome outcome =
        new Training(
                shared.settings(),
                shared.mesh(),
                shared.microBatch(),
                shared.accumulation(),
                shared.steps(),
                shared.seed(),
                shared.apart(),
                empty)
            .run(trial::onRanks);
    assertThat(Equality.FP64.differences(outcome, alone.run())).isEmpty();
  }
}
