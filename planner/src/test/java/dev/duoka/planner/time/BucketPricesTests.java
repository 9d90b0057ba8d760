package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.duoka.comm.RankGroup;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Collective;
import dev.duoka.hardware.ExchangeSample;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.StreamSample;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.memory.StageParameters;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Larger buckets cost fewer exchanges, of which the last is longer. */
final class BucketPricesTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();
  private static final int LENGTH = 128;
  private static final double BYTES_PER_SECOND = 200e9;

  /** Four cards whose exchanges take so long before the first byte moves. */
  private static Machine machine(double latency) {
    List<ExchangeSample> samples = new ArrayList<>();
    for (String name : List.of("all-reduce", "reduce-scatter", "all-gather", "all-to-all")) {
      for (int ranks : new int[] {2, 4}) {
        for (long bytes : new long[] {1, 1L << 36}) {
          double seconds = latency + bytes / BYTES_PER_SECOND;
          samples.add(new ExchangeSample(name, "peer", ranks, bytes, seconds));
        }
      }
    }
    return CATALOGUE
        .machine(CATALOGUE.card("H100"), 4, Interconnect.NVLINK, 4, Interconnect.NVLINK, 1)
        .measured(
            new MachineProfile(
                "2026-11-29T13:09:43Z",
                List.of(),
                Map.of(),
                1,
                8e-6,
                List.of(),
                List.of(),
                List.of(new StreamSample(StreamSample.COPY, 5e-6, 2.5e12)),
                samples,
                Optional.empty()));
  }

  private static Layout layout(
      int data, int tensor, int pipeline, int expert, int zero, int stagesPerRank, int blocks) {
    Layout layout =
        new Layout(
            data,
            tensor,
            pipeline,
            expert,
            1,
            zero,
            1,
            pipeline,
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            Method.FULL);
    PipelineOrder order =
        stagesPerRank > 1
            ? new PipelineOrder(PipelineKind.INTERLEAVED, stagesPerRank)
            : PipelineOrder.DEFAULT;
    return layout.with(order).inBucketsOf(blocks);
  }

  private static double dataSeconds(double latency, int zero, int blocks) {
    ModelShape shape = ModelShape.of(Presets.named("deepseek-coder-1.3b"));
    Layout layout = layout(4, 1, 1, 1, zero, 1, blocks);
    return new TimeModel(
            shape,
            new Job(LENGTH, 4L * LENGTH, 1),
            EngineTraits.DUOKA,
            new LinkRates(machine(latency), CATALOGUE))
        .estimate(layout, Stage.balanced(shape, 1, LENGTH))
        .of(Cause.DATA);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void fewerExchangesAreCheaperWhereEachBeginsSlowly(int zero) {
    double before = dataSeconds(0.01, zero, 1);
    for (int blocks : new int[] {2, 4, 8}) {
      double seconds = dataSeconds(0.01, zero, blocks);
      assertThat(seconds).as("buckets of %d blocks", blocks).isLessThan(0.9 * before);
      before = seconds;
    }
  }

  /** The same bytes travel, and more of them when nothing is left to compute. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void theyAreNoCheaperWhereNoneDoes(int zero) {
    double apart = dataSeconds(0, zero, 1);
    assertThat(dataSeconds(0, zero, 8)).isGreaterThanOrEqualTo(apart * (1 - 1e-9));
  }

  /** What is priced are the exchanges that a dry run of the step makes. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 6, 4, 1, 1, 1, 0, 1, 1",
    "tiny-llama, 6, 4, 1, 1, 1, 0, 1, 4",
    "tiny-llama, 6, 2, 2, 1, 1, 2, 1, 2",
    "tiny-llama, 6, 1, 2, 1, 1, 0, 1, 4",
    "tiny-llama, 8, 2, 1, 2, 1, 1, 1, 3",
    "tiny-llama, 8, 2, 1, 2, 1, 0, 2, 2",
    "tiny-moe, 6, 2, 1, 1, 1, 1, 1, 2",
    "tiny-moe, 6, 4, 1, 1, 2, 1, 1, 2",
    "tiny-v3, 6, 2, 2, 1, 4, 1, 1, 2",
  })
  void asManyAsTheEngineMakes(
      String preset,
      int layers,
      int data,
      int tensor,
      int pipeline,
      int expert,
      int zero,
      int stagesPerRank,
      int blocks) {
    ModelConfig named = Presets.named(preset);
    ModelConfig config = named.with(layers, named.moe(), 0);
    double latency = 1000; // beside which bytes are nothing
    compare(config, latency, layout(data, tensor, pipeline, expert, zero, stagesPerRank, blocks));
  }

  /** With as many bytes, where both count. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-coder-1.3b, 4, 1, 1, 0, 1",
    "deepseek-coder-1.3b, 2, 2, 1, 2, 4",
    "deepseek-v2-lite, 4, 1, 4, 1, 3",
  })
  void asLongAsTheEngineMakesThem(
      String preset, int data, int tensor, int expert, int zero, int blocks) {
    compare(Presets.named(preset), 1e-3, layout(data, tensor, 1, expert, zero, 1, blocks));
  }

  private static void compare(ModelConfig config, double latency, Layout layout) {
    ModelShape shape = ModelShape.of(config);
    LinkRates links = new LinkRates(machine(latency), CATALOGUE);
    Collective sum = layout.zero() == 0 ? Collective.ALL_REDUCE : Collective.REDUCE_SCATTER;
    int all = layout.gpus();
    double made =
        DryRun.unrolled(DryRunJob.of(config, layout, LENGTH)).exchanges().stream()
            .filter(exchange -> exchange.purpose().startsWith("gradients of"))
            .mapToDouble(it -> links.seconds(sum, ranks(it.group(), all), all, it.bytes()).value())
            .sum();
    int stages = layout.pipeline() * layout.order().stagesPerRank();
    Stage first =
        Stage.ofRanks(Stage.balanced(shape, stages, LENGTH), layout.pipeline()).getFirst();
    StageParameters held = StageParameters.of(shape, first, layout);
    Figure priced =
        BucketExchanges.ofTrained(shape, links, layout, Spans.of(layout), held).all(sum, 4);
    assertThat(priced.value()).isCloseTo(made, withinPercentage(0.5));
  }

  private static int ranks(RankGroup group, int all) {
    return group.members().isEmpty() ? all : group.members().size();
  }

  @Test
  void aPlanTakesThemWhereTheyPay() {
    assertThat(plan(0.005).plans())
        .filteredOn(plan -> plan.layout().exchangesBuckets())
        .hasSizeGreaterThan(2)
        .allMatch(plan -> plan.layout().blocksPerBucket() > 1);
    assertThat(plan(0).plans()).allMatch(plan -> plan.layout().blocksPerBucket() == 1);
  }

  private static PlanResult plan(double latency) {
    ModelConfig config = Presets.named("deepseek-coder-1.3b");
    return new Planner(CATALOGUE)
        .plan(
            new PlanRequest(
                "a model",
                ModelShape.of(config.with(8, null, 0)),
                machine(latency),
                new Job(1024, 4 * 1024, 1),
                Method.FULL,
                List.of(Precision.BF16),
                true,
                EngineTraits.DUOKA));
  }
}
