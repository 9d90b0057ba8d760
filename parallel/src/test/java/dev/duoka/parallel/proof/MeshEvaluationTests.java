package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.Evaluation;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.TrainingRank;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loss without gradients, and over how many targets, is that of one rank on every mesh. */
class MeshEvaluationTests {
  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, false",
    "dense, 1, 2, 1, 1, false",
    "dense, 1, 1, 2, 1, false",
    "dense, 1, 1, 4, 1, true",
    "dense, 2, 2, 2, 1, false",
    "dense, 1, 1, 2, 2, true",
    "v3 mtp, 1, 2, 2, 2, false",
    "v2, 2, 1, 1, 2, true",
  })
  void asOneRank(String model, int data, int tensor, int context, int pipeline, boolean apart) {
    Trial one =
        new Trial(
            Draw.model(model, 4, 2),
            new Mesh(pipeline, 1, data, context, tensor, 1),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            1,
            16,
            1,
            4 / data,
            1);
    Trial trial = apart ? one.withDocumentsApart() : one;
    double[] alone = evaluated(trial.onOneRank());
    double[] spread = evaluated(trial);
    assertThat(spread[1]).as("targets").isEqualTo(alone[1]).isPositive();
    assertThat(spread[0]).as("losses").isCloseTo(alone[0], within(1e-9 * alone[0]));
  }

  private static double[] evaluated(Trial trial) {
    Training training = trial.training();
    Queue<double[]> results = new ConcurrentLinkedQueue<>();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(training.mesh(), world, device, training.settings())) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            List<MicroBatch> own =
                new ArrayList<>(
                    training.batch(0, training.mesh().dataRank(world.rank())).microBatches());
            Evaluation evaluation = rank.step().evaluate(own.size(), own::removeFirst);
            results.add(new double[] {evaluation.losses(), evaluation.counted()});
          }
        });
    double[] first = results.element();
    assertThat(results)
        .hasSize(trial.mesh().size())
        .allSatisfy(it -> assertThat(it).isEqualTo(first));
    return first;
  }
}
