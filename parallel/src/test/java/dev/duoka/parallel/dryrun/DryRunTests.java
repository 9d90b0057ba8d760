package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Operation;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.function.AttentionPlans;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a dry run books and exchanges is what a real step does. */
class DryRunTests {
  private static final int SEQUENCES = 2;

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, NONE, 1, 0, 1",
    "tiny-llama, SELECTIVE, 1, 0, 2",
    "tiny-llama, FULL, 1, 0, 1",
    "tiny-moe, NONE, 1, 0, 1",
    "tiny-v2, NONE, 1, 0, 3",
    "tiny-v3, NONE, 1, 0, 1",
    "tiny-v3, FULL, 1, 0, 2",
    "tiny-llama, NONE, 2, 0, 1",
    "tiny-llama, NONE, 2, 1, 2",
    "tiny-llama, FULL, 4, 1, 1",
    "tiny-v3, SELECTIVE, 2, 1, 1",
    "tiny-v3, NONE, 4, 0, 1",
    "tiny-moe, NONE, 4, 1, 2"
  })
  void agreesWithARealStep(
      String preset, Recompute recompute, int ranks, int zeroStage, int accumulation) {
    ModelConfig config = TinyRuns.config(preset);
    StepSettings settings = TinyRuns.settings(config, Precision.FP32, recompute, zeroStage);
    List<DryRunResult> real = real(settings, Device.CPU, ranks, accumulation);
    DryRunResult dry = DryRun.unrolled(new DryRunJob(settings, ranks, SEQUENCES, accumulation));
    for (DryRunResult rank : real) {
      assertThat(rank.peakByOwner()).isEqualTo(dry.peakByOwner());
      assertThat(rank.exchanges()).isEqualTo(dry.exchanges());
    }
  }

  /** Frozen weights, dropout, norms and grouped adapters are booked as they are in a real step. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, false, SELECTIVE, 1, 0, DENSE, false",
    "tiny-llama, true, NONE, 2, 1, DENSE, false",
    "tiny-llama, true, FULL, 2, 3, DENSE, false",
    "tiny-v3, false, FULL, 1, 0, DENSE, false",
    "tiny-v3, true, SELECTIVE, 2, 2, DENSE, false",
    "tiny-llama, false, FULL, 1, 0, NF4, false",
    "tiny-llama, true, SELECTIVE, 2, 3, NF4, false",
    "tiny-v3, false, FULL, 2, 3, NF4, false",
    "tiny-v3, false, SELECTIVE, 1, 0, NF4_SINGLE, false",
    "tiny-llama, true, NONE, 2, 3, DENSE, true",
    "tiny-v3, false, FULL, 1, 0, NF4, true",
  })
  void agreesWithARealStepOfAnAdapter(
      String preset,
      boolean magnitudes,
      Recompute recompute,
      int ranks,
      int zeroStage,
      BaseForm base,
      boolean head) {
    ModelConfig whole = TinyRuns.config(preset);
    ModelConfig config =
        whole
            .with(whole.layers(), whole.moe(), 0)
            .with(
                new AdapterConfig(
                    8,
                    16,
                    magnitudes ? 0.1 : 0,
                    false,
                    magnitudes,
                    head
                        ? new NamePatterns.Ends(List.of("o_proj", "lm_head"))
                        : new NamePatterns.AllLinear(),
                    NamePatterns.NONE,
                    magnitudes ? List.of() : List.of("gate_up_proj", "down_proj"),
                    List.of(),
                    Map.of(),
                    Map.of(),
                    head ? List.of() : List.of("lm_head"),
                    base));
    StepSettings settings = TinyRuns.settings(config, Precision.FP32, recompute, zeroStage);
    DryRunJob job = new DryRunJob(settings, ranks, SEQUENCES, 2);
    DryRunResult dry = DryRun.unrolled(job);
    for (DryRunResult rank : real(settings, Device.CPU, ranks, 2)) {
      assertThat(rank.peakByOwner()).isEqualTo(dry.peakByOwner());
      assertThat(rank.exchanges()).isEqualTo(dry.exchanges());
    }
    assertThat(DryRun.replayedPeak(job)).isEqualTo(DryRun.unrolled(job.steady()).peakByOwner());
  }

  private static long gathered(BaseForm base) {
    ModelConfig config =
        TinyRuns.config("tiny-llama")
            .with(AdapterConfig.lora(1, 1, new NamePatterns.AllLinear()).on(base));
    StepSettings settings = TinyRuns.settings(config, Precision.BF16, Recompute.FULL, 3);
    return DryRun.unrolled(new DryRunJob(settings, 2, SEQUENCES, 1)).exchanges().stream()
        .filter(exchange -> exchange.operation() == Operation.ALL_GATHER)
        .filter(exchange -> exchange.purpose().startsWith("weights of model.layers."))
        .mapToLong(Exchange::bytes)
        .sum();
  }

  /** What ranks gather of a base in 4 bits are its bytes. */
  @Test
  void zero3GathersAQuarter() {
    assertThat((double) gathered(BaseForm.DENSE) / gathered(BaseForm.NF4)).isBetween(3.4, 3.88);
  }

  /** Whatever the router chooses: memory is planned once and then neither grows nor varies. */
  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-moe", "tiny-v2", "tiny-v3"})
  void everyStepTakesTheSameBytes(String preset) {
    ModelConfig config = TinyRuns.config(preset);
    StepSettings settings = TinyRuns.settings(config, Precision.FP32, Recompute.SELECTIVE, 0);
    List<Map<MemoryOwner, Long>> peaks = new ArrayList<>();
    LocalRanks.run(
        1,
        world -> {
          try (ThreadLedger mine = ThreadLedger.open(Device.CPU);
              TrainingRank rank = TrainingRank.allocate(world, Device.CPU, settings)) {
            WeightInitializer.initialize(rank.model(), 7);
            rank.optimizer().adoptValues();
            for (int step = 0; step < 4; step++) {
              mine.ledger().resetPeak();
              // Far, so that routing changes.
              rank.step().run(TinyRuns.batch(config, 0, 1, 1, SEQUENCES, step), 0.1);
              peaks.add(mine.ledger().peakByOwner());
            }
          }
        });
    assertThat(peaks.subList(2, 4)).containsOnly(peaks.get(1));
  }

  @Test
  void theLoadsOfAllLayersAreSummedAtOnce() {
    ModelConfig config = TinyRuns.config("tiny-v3");
    StepSettings settings = TinyRuns.settings(config, Precision.FP32, Recompute.NONE, 1);
    int experts = Objects.requireNonNull(config.moe()).routedExperts();
    assertThat(DryRun.unrolled(new DryRunJob(settings, 2, SEQUENCES, 1)).exchanges())
        .filteredOn(exchange -> exchange.operation() == Operation.ALL_REDUCE)
        .filteredOn(exchange -> exchange.dtype() == Dtype.FLOAT32)
        .singleElement()
        .satisfies(
            exchange ->
                assertThat(exchange.elements() % experts == 0 && exchange.elements() > experts)
                    .as("%s: of several layers of %s experts", exchange, experts)
                    .isTrue());
  }

  /** In 16 bits the dry run is one of a GPU, with our kernels and cuDNN. */
  @ParameterizedTest
  @Tag("cuda")
  @CsvSource({
    "tiny-llama, BF16, NONE, 1",
    "tiny-llama, FP16, SELECTIVE, 1",
    "tiny-llama, BF16, FULL, 1",
    "tiny-moe, BF16, SELECTIVE, 1",
    "tiny-v2, BF16, NONE, 1",
    "tiny-v3, BF16, NONE, 1",
    "tiny-v3, BF16, NONE, 2"
  })
  void agreesWithARealStepOnAGpu(
      String preset, Precision precision, Recompute recompute, int ranks) {
    StepSettings settings =
        TinyRuns.settings(TinyRuns.config(preset), precision, recompute, ranks > 1 ? 1 : 0);
    long predicted = DryRun.unrolled(new DryRunJob(settings, ranks, SEQUENCES, 1)).peakBytes();
    for (DryRunResult rank : real(settings, TestDevice.cuda(), ranks, 1)) {
      // Not to the byte: cuDNN returns two numbers of random state with each attention.
      assertThat((double) predicted)
          .isCloseTo((double) rank.peakBytes(), Percentage.withPercentage(2));
    }
  }

  /** Else its plans would be made for nothing. */
  @ParameterizedTest
  @Tag("cuda")
  @CsvSource({"tiny-llama, NONE", "tiny-llama, FULL", "tiny-v3, SELECTIVE"})
  void asksForTheAttentionOfARealStep(String preset, Recompute recompute) {
    StepSettings settings =
        TinyRuns.settings(TinyRuns.config(preset), Precision.BF16, recompute, 0);
    DryRunJob job = new DryRunJob(settings, 1, SEQUENCES, 1);
    AttentionPlans said =
        DryRunDevice.of(TestDevice.cuda(), () -> AttentionPlans.of(() -> PlannedExchanges.of(job)));
    assertThat(said.toString()).contains("query=").doesNotContain("Optional.empty");
    AtomicReference<AttentionPlans> asked = new AtomicReference<>();
    LocalRanks.run(
        1,
        world -> {
          try (TrainingRank rank = TrainingRank.allocate(world, TestDevice.cuda(), settings)) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            said.make(TestDevice.cuda());
            asked.set(AttentionPlans.of(() -> step(rank, settings, 1, 1, 1)));
          }
        });
    assertThat(asked.get()).isEqualTo(said);
  }

  /** Beside a base in 4 bits, with and without dropout: every kernel of such a step. */
  @ParameterizedTest
  @Tag("cuda")
  @CsvSource({
    "tiny-llama, BF16, FULL, 0.1, false",
    "tiny-llama, FP32, NONE, 0, false",
    "tiny-v3, BF16, SELECTIVE, 0, true",
  })
  void agreesWithARealStepOfAnAdapterOnAGpu(
      String preset, Precision precision, Recompute recompute, double dropout, boolean experts) {
    ModelConfig whole = TinyRuns.config(preset);
    ModelConfig config =
        whole
            .with(whole.layers(), whole.moe(), 0)
            .with(
                new AdapterConfig(
                    8,
                    16,
                    dropout,
                    false,
                    false,
                    new NamePatterns.AllLinear(),
                    NamePatterns.NONE,
                    experts ? List.of("gate_up_proj", "down_proj") : List.of(),
                    List.of(),
                    Map.of(),
                    Map.of(),
                    List.of(),
                    BaseForm.NF4));
    StepSettings settings = TinyRuns.settings(config, precision, recompute, 0);
    DryRunJob job = new DryRunJob(settings, 1, SEQUENCES, 1);
    long predicted = DryRunDevice.of(TestDevice.cuda(), () -> DryRun.unrolled(job).peakBytes());
    for (DryRunResult rank : real(settings, TestDevice.cuda(), 1, 1)) {
      assertThat((double) predicted)
          .isCloseTo((double) rank.peakBytes(), Percentage.withPercentage(2));
    }
  }

  /** What each rank of a real run books in its second step, and exchanges. */
  private static List<DryRunResult> real(
      StepSettings settings, Device device, int ranks, int accumulation) {
    List<ExchangeLedger.InMemory> ledgers = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      ledgers.add(new ExchangeLedger.InMemory());
    }
    List<DryRunResult> results =
        Collections.synchronizedList(new ArrayList<>(Collections.nCopies(ranks, null)));
    LocalRanks.run(
        ranks,
        ledgers::get,
        world -> {
          ExchangeLedger.InMemory exchanges = ledgers.get(world.rank());
          try (ThreadLedger mine = ThreadLedger.open(device);
              TrainingRank rank = TrainingRank.allocate(world, device, settings)) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            step(rank, settings, ranks, accumulation, 1);
            mine.ledger().resetPeak();
            int before = exchanges.exchanges().size();
            step(rank, settings, ranks, accumulation, 2);
            List<Exchange> all = exchanges.exchanges();
            results.set(
                world.rank(),
                new DryRunResult(
                    mine.ledger().peakByOwner(), all.subList(before, all.size()), Map.of()));
          }
        });
    return results;
  }

  private static void step(
      TrainingRank rank, StepSettings settings, int ranks, int accumulation, long seed) {
    rank.step()
        .run(
            TinyRuns.batch(
                settings.model(), rank.world().rank(), ranks, accumulation, SEQUENCES, seed),
            1e-3);
  }
}
