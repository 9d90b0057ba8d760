package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.state.ParameterRange;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ranges of the gradients that a step tells are those of one rank, on every mesh and rank. */
class MeshRangesTests {
  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 0, NONE",
    "dense, 2, 1, 1, 1, 3, NONE",
    "dense, 2, 1, 1, 1, 1, OPTIMIZER",
    "dense, 1, 2, 1, 2, 1, NONE",
    "v3 mtp, 2, 2, 1, 1, 2, NONE",
    "v2, 1, 1, 2, 1, 1, NONE",
  })
  void asOneRank(
      String model, int data, int tensor, int context, int pipeline, int zero, Offload offload) {
    Trial trial =
        new Trial(
                Draw.model(model, 4, 2),
                new Mesh(pipeline, 1, data, context, tensor, 1),
                PipelineSettings.DEFAULT,
                Recompute.NONE,
                zero,
                16,
                1,
                4 / data,
                1)
            .with(offload, OffloadUpdate.HOST);
    List<ParameterRange> alone = measured(trial.onOneRank()).values().iterator().next();
    assertThat(alone).isNotEmpty();
    measured(trial)
        .forEach(
            (rank, ranges) -> {
              assertThat(ranges).as("rank %d", rank).hasSameSizeAs(alone);
              for (int i = 0; i < alone.size(); i++) {
                assertSame(ranges.get(i), alone.get(i));
              }
            });
  }

  private static void assertSame(ParameterRange range, ParameterRange alone) {
    assertThat(range.name()).isEqualTo(alone.name());
    double farthest = Math.max(-alone.smallest(), alone.largest());
    // Extremes are kept in fp32.
    assertThat(range.smallest())
        .as(range.name())
        .isCloseTo(alone.smallest(), within(1e-6 * farthest));
    assertThat(range.largest())
        .as(range.name())
        .isCloseTo(alone.largest(), within(1e-6 * farthest));
    assertThat(range.squares())
        .as(range.name())
        .isCloseTo(alone.squares(), within(1e-9 * alone.squares()));
  }

  private static Map<Integer, List<ParameterRange>> measured(Trial trial) {
    Map<Integer, List<ParameterRange>> ofRanks = new ConcurrentHashMap<>();
    LocalRanks.run(
        trial.mesh().size(),
        world -> {
          ComputeThread.prepare(Device.CPU, 1, world.size());
          ofRanks.put(world.rank(), measured(trial, world));
        });
    return ofRanks;
  }

  private static List<ParameterRange> measured(Trial trial, Communicator world) {
    Training training = trial.training();
    try (TrainingRank rank =
        TrainingRank.allocate(trial.mesh(), world, Device.CPU, training.settings())) {
      rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), training.seed()));
      return rank.step()
          .launch(
              training.batch(0, trial.mesh().dataRank(world.rank())),
              Training.LEARNING_RATE,
              null,
              true)
          .await()
          .outcome()
          .ranges();
    }
  }
}
