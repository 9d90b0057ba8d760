package dev.duoka.parallel.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Documents that share a sequence and are kept apart train as those that have one each. */
class DocumentsApartTests {
  private static final int DOCUMENT = 12;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-v2", "tiny-v3"})
  void asInSequencesOfTheirOwn(String preset) {
    ModelConfig config = TinyRuns.config(preset);
    MicroBatch own = MicroBatch.random(6, DOCUMENT, config.vocabSize(), 5);
    long[] targets = own.targets().clone();
    for (int last = DOCUMENT - 1; last < targets.length; last += DOCUMENT) {
      targets[last] = MicroBatch.MASKED; // what follows is another document
    }
    MicroBatch alone = MicroBatch.of(6, DOCUMENT, own.tokens(), targets);
    MicroBatch together = MicroBatch.of(2, 3 * DOCUMENT, own.tokens(), targets);
    List<Integer> starts = List.of(0, DOCUMENT, 2 * DOCUMENT);
    double[] expected = losses(config, alone);
    assertThat(losses(config, together.apart(List.of(starts, starts))))
        .usingComparatorWithPrecision(1e-7)
        .containsExactly(expected);
    double[] seeing = losses(config, together);
    assertThat(seeing[0]).isNotCloseTo(expected[0], within(1e-5));
    double[] wrong = losses(config, together.apart(List.of(starts, List.of(DOCUMENT))));
    assertThat(wrong[0]).isNotCloseTo(expected[0], within(1e-6));
  }

  /** Losses and norms of some steps; the norm says that the gradients are the same. */
  private static double[] losses(ModelConfig config, MicroBatch batch) {
    ComputeThread.prepare(Device.CPU, 1, 1);
    // Without the experts' balance loss, which counts by sequence.
    StepSettings settings =
        new StepSettings(
            config,
            Precision.FP64,
            Recompute.NONE,
            3 * DOCUMENT,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            0,
            LossScaler.Settings.DEFAULT,
            StepSettings.AuxiliaryLosses.NONE);
    StepBatch step =
        new StepBatch(List.of(batch), batch.realTargets(), DataState.START, DataState.START);
    double[] losses = new double[6];
    try (TrainingRank rank = TrainingRank.allocate(new SingleRank(), Device.CPU, settings)) {
      rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 3));
      for (int i = 0; i < losses.length; i += 2) {
        TrainingStep.Result result = rank.step().run(step, 1e-3);
        losses[i] = result.loss();
        losses[i + 1] = result.outcome().gradientNorm();
      }
    }
    assertThat(Arrays.stream(losses)).allMatch(Double::isFinite);
    return losses;
  }
}
