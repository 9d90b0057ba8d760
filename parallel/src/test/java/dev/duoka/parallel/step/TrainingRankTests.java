package dev.duoka.parallel.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Operation;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingRankTests {
  private static final int STEPS = 3;

  /** The same four micro-batches, by one rank one after the other or by several side by side. */
  @ParameterizedTest
  @CsvSource({"tiny-llama, 2, 0", "tiny-llama, 4, 1", "tiny-v3, 2, 1", "tiny-moe, 4, 0"})
  void severalRanksTakeTheStepOfOne(String preset, int ranks, int zeroStage) {
    ModelConfig config = TinyRuns.config(preset);
    List<TrainingStep.Result> alone = run(config, 1, 0);
    List<TrainingStep.Result> together = run(config, ranks, zeroStage);
    for (int step = 0; step < STEPS; step++) {
      assertThat(together.get(step).loss())
          .isCloseTo(alone.get(step).loss(), Percentage.withPercentage(1e-3));
      assertThat(together.get(step).outcome().gradientNorm())
          .isCloseTo(alone.get(step).outcome().gradientNorm(), Percentage.withPercentage(1e-2));
    }
  }

  /** Each bucket is summed once in a step, from the last block to the first. */
  @Test
  void gradientsAreSummedOnceAsTheyBecomeReady() {
    ModelConfig config = TinyRuns.config("tiny-llama");
    ExchangeLedger.InMemory ledger = new ExchangeLedger.InMemory();
    List<Long> lengths = new ArrayList<>();
    LocalRanks.run(
        2,
        rank -> rank == 0 ? ledger : ExchangeLedger.NONE,
        world -> {
          try (TrainingRank rank = rank(config, world, 0)) {
            rank.step().run(batch(config, world.rank(), 2, 1), 1e-3);
            if (world.rank() == 0) {
              rank.model().parameters().buckets().reversed().stream()
                  .map(bucket -> bucket.length())
                  .forEach(lengths::add);
            }
          }
        });
    assertThat(
            ledger.exchanges().stream()
                .filter(exchange -> exchange.operation() == Operation.ALL_REDUCE)
                .map(Exchange::elements))
        .containsExactlyElementsOf(lengths);
    assertThat(ledger.completed()).isEqualTo(ledger.exchanges().size());
  }

  @Test
  void everythingCanBeClosedAndBuiltAgain() {
    ModelConfig config = TinyRuns.config("tiny-v3");
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    List<TrainingStep.Result> first = run(config, 2, 1);
    before.assertUnchanged();
    List<TrainingStep.Result> second = run(config, 2, 1);
    before.assertUnchanged();
    for (int step = 0; step < STEPS; step++) {
      assertThat(second.get(step).loss()).isEqualTo(first.get(step).loss());
      assertThat(second.get(step).outcome()).isEqualTo(first.get(step).outcome());
    }
  }

  private static List<TrainingStep.Result> run(ModelConfig config, int ranks, int zeroStage) {
    List<TrainingStep.Result> results = new ArrayList<>();
    LocalRanks.run(
        ranks,
        world -> {
          try (TrainingRank rank = rank(config, world, zeroStage)) {
            for (int step = 0; step < STEPS; step++) {
              TrainingStep.Result result =
                  rank.step().run(batch(config, world.rank(), ranks, step), 1e-3);
              if (world.rank() == 0) {
                results.add(result);
              }
            }
          }
        });
    return results;
  }

  private static TrainingRank rank(ModelConfig config, Communicator world, int zeroStage) {
    ComputeThread.prepare(Device.CPU, 1, world.size());
    TrainingRank rank =
        TrainingRank.allocate(
            world,
            Device.CPU,
            TinyRuns.settings(config, Precision.FP32, Recompute.NONE, zeroStage));
    WeightInitializer.initialize(rank.model(), 7);
    rank.optimizer().adoptValues();
    return rank;
  }

  /** This rank's share of four micro-batches. */
  private static StepBatch batch(ModelConfig config, int rank, int ranks, int step) {
    List<MicroBatch> all = TinyRuns.batch(config, 0, 1, 4, 1, step).microBatches();
    int each = 4 / ranks;
    return new StepBatch(
        all.subList(rank * each, (rank + 1) * each),
        4L * TinyRuns.LENGTH,
        DataState.START,
        DataState.START);
  }
}
