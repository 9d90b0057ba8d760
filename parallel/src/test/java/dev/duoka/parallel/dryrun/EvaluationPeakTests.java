package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.Evaluator;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is counted of an evaluation between steps is what one takes, to the byte in fp32. */
class EvaluationPeakTests {
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 4, 1, 1, 0, LOSS",
    "tiny-llama, 5, 1, 1, 0, LOG_PROBABILITIES",
    "tiny-llama, 4, 1, 1, 0, MOST_LIKELY",
    "tiny-llama, 4, 2, 1, 2, LOG_PROBABILITIES",
    "tiny-llama, 4, 1, 2, 0, MOST_LIKELY"
  })
  void isThatOfARealEvaluation(
      String preset, int layers, int data, int pipeline, int zero, Evaluated kind) {
    ModelConfig config = new LayerCounts(layers, 0).applyTo(TinyRuns.config(preset));
    StepSettings settings = TinyRuns.settings(config, Precision.FP32, Recompute.NONE, zero);
    Mesh mesh = new Mesh(pipeline, 1, data, 1, 1, 1);
    int ranks = mesh.size();
    List<Map<MemoryOwner, Long>> real =
        Collections.synchronizedList(new ArrayList<>(Collections.nCopies(ranks, Map.of())));
    LocalRanks.run(
        ranks,
        world -> {
          try (ThreadLedger mine = ThreadLedger.open(Device.CPU);
              TrainingRank rank = TrainingRank.allocate(mesh, world, Device.CPU, settings)) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            rank.step()
                .run(
                    TinyRuns.batch(config, mesh.dataRank(world.rank()), data, 2 * pipeline, 1, 1),
                    1e-3);
            mine.ledger().resetPeak();
            evaluate(rank.step().evaluator(), kind, config, pipeline);
            real.set(world.rank(), mine.ledger().peakByOwner());
          }
        });
    for (int rank = 0; rank < ranks; rank++) {
      DryRunJob job = new DryRunJob(settings, mesh, rank, 1, 2 * pipeline);
      assertThat(DryRun.evaluationPeak(job, Set.of(kind)))
          .as("rank %s", rank)
          .isEqualTo(real.get(rank));
    }
  }

  private static void evaluate(
      Evaluator evaluator, Evaluated kind, ModelConfig config, int pipeline) {
    MicroBatch one = MicroBatch.random(1, TinyRuns.LENGTH, config.vocabSize(), 3);
    MicroBatch two =
        MicroBatch.random(Evaluator.asked(1), TinyRuns.LENGTH, config.vocabSize(), 4)
            .ofPairs(new double[2]);
    int together = Evaluator.together(pipeline);
    switch (kind) {
      case LOSS -> evaluator.losses(together, () -> one);
      case LOG_PROBABILITIES -> evaluator.logProbabilities(together, () -> two, false);
      case MOST_LIKELY -> evaluator.mostLikely(two);
    }
  }
}
