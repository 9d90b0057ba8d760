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
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
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

  /** Log-probabilities of sequences, and the most likely token at a place of each. */
  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1",
    "dense, 1, 2, 1, 1",
    "dense, 1, 1, 4, 1",
    "dense, 1, 2, 2, 1",
    "dense, 1, 1, 1, 2",
    "v2, 2, 2, 1, 1",
  })
  void sequencesAsOnOneRank(String model, int data, int tensor, int context, int pipeline) {
    Trial trial =
        new Trial(
            Draw.model(model, 4, 2),
            new Mesh(pipeline, 1, data, context, tensor, 1),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            1,
            16,
            2,
            4 / data,
            1);
    double[] alone = ofSequences(trial.onOneRank());
    double[] spread = ofSequences(trial);
    assertThat(spread).hasSize(16).containsExactly(alone, within(1e-9 * 100));
  }

  /** Eight log-probabilities, then eight tokens. */
  private static double[] ofSequences(Trial trial) {
    return onRanks(
        trial,
        rank -> {
          Training training = trial.training();
          int data = training.mesh().dataRank(rank.world().rank());
          List<MicroBatch> own = new ArrayList<>();
          List<MicroBatch> places = new ArrayList<>();
          for (MicroBatch batch : training.batch(0, data).microBatches()) {
            own.add(batch.ofPairs(new double[batch.rows()]));
            places.add(marked(batch));
          }
          double[] sums =
              rank.step().evaluator().logProbabilities(own.size(), own::removeFirst, false);
          double[] all = Arrays.copyOf(sums, 16);
          int each = 8 / trial.mesh().data();
          for (int i = 0; i < places.size(); i++) {
            int[] tokens = rank.step().evaluator().mostLikely(places.get(i));
            for (int j = 0; j < tokens.length; j++) {
              all[8 + j / 2 * each + 2 * i + j % 2] = tokens[j];
            }
          }
          return all;
        });
  }

  /** Of each sequence one place, another one for each. */
  private static MicroBatch marked(MicroBatch batch) {
    long[] places = new long[batch.rows() * batch.length()];
    Arrays.fill(places, MicroBatch.MASKED);
    for (int row = 0; row < batch.rows(); row++) {
      places[row * batch.length() + (int) ((batch.firstSequence() + row) * 5 % 16)] = 0;
    }
    return MicroBatch.of(batch.rows(), batch.length(), batch.tokens(), places);
  }

  private static double[] evaluated(Trial trial) {
    return onRanks(
        trial,
        rank -> {
          Training training = trial.training();
          int data = training.mesh().dataRank(rank.world().rank());
          List<MicroBatch> own = new ArrayList<>(training.batch(0, data).microBatches());
          Evaluation evaluation = rank.step().evaluator().losses(own.size(), own::removeFirst);
          return new double[] {evaluation.losses(), evaluation.counted()};
        });
  }

  /** What all ranks find, which is the same. */
  private static double[] onRanks(Trial trial, Function<TrainingRank, double[]> found) {
    Training training = trial.training();
    Queue<double[]> results = new ConcurrentLinkedQueue<>();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(training.mesh(), world, device, training.settings())) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            results.add(found.apply(rank));
          }
        });
    double[] first = results.element();
    assertThat(results)
        .hasSize(trial.mesh().size())
        .allSatisfy(it -> assertThat(it).isEqualTo(first));
    return first;
  }
}
