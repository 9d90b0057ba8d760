package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.yaml.YamlData;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Interconnect;
import dev.duoka.layout.Layout;
import dev.duoka.planner.RandomCases;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold of every model and layout. */
final class TimePropertiesTests {
  private static final int CASES = 300;

  private final RandomCases cases = new RandomCases(13);

  @Test
  void causesAddUpAndTheRangeHoldsThem() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      StepTime time = time(Catalogue.builtIn(), shape, cases.layout(shape));
      assertThat(time.seconds()).hasSameSizeAs(Cause.values());
      double sum = time.seconds().values().stream().mapToDouble(Figure::value).sum();
      assertThat(time.total()).isCloseTo(sum, within(1e-9 * sum)).isFinite().isPositive();
      assertThat(time.total()).isBetween(time.low(), time.high());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cards: [{name: A100-80G-SXM, memory_gbs: 4000}]",
        "cards: [{name: A100-80G-SXM, peak_tflops: {bf16: 600, fp16: 600, fp32: 40}}]",
        "cards: [{name: A100-80G-SXM, pcie: {generation: 6, each_way_gbs: 126}}]",
        "cards: [{name: A100-80G-SXM, nvlink: {kind: nvswitch, each_way_gbs: 900}}]",
        "collectives: [{cards: [A100-80G-SXM], link: nvlink, gpus: 64, all_reduce: 900,"
            + " all_gather: 900, reduce_scatter: 900, all_to_all: 900, source: x}]"
      })
  void aFasterMachineIsNeverSlower(String faster) {
    Catalogue better = Catalogue.overlaidBy(YamlData.parse(faster, "faster.yaml"));
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout layout = cases.layout(shape);
      double before = time(Catalogue.builtIn(), shape, layout).total();
      double after = time(better, shape, layout).total();
      assertThat(after).isLessThanOrEqualTo(before * (1 + 1e-9));
    }
  }

  @Test
  void twiceTheStepsTokensTakeNoMoreThanTwiceAsLong() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout layout = cases.layout(shape);
      Layout twiceOnDevice =
          new Layout(
              layout.data(),
              layout.tensor(),
              layout.pipeline(),
              layout.expert(),
              layout.context(),
              layout.zero(),
              layout.microBatch(),
              2 * layout.accumulation(),
              layout.recompute(),
              layout.offload(),
              layout.loss(),
              layout.precision(),
              layout.method());
      Layout twice =
          twiceOnDevice.with(
              layout.zero(), layout.offload(), layout.offloadUpdate(), layout.states());
      double once = time(Catalogue.builtIn(), shape, layout).total();
      double more = time(Catalogue.builtIn(), shape, twice).total();
      assertThat(more).isBetween(once, 2 * once * (1 + 1e-9));
    }
  }

  private static StepTime time(Catalogue catalogue, ModelShape shape, Layout layout) {
    List<Stage> stages = Stage.split(shape, layout.pipeline());
    long tokens = 4096L * layout.data() * layout.microBatch() * layout.accumulation();
    LinkRates links =
        new LinkRates(
            catalogue.machine(
                catalogue.card("A100"), 64, Interconnect.NVLINK, 64, Interconnect.NVLINK, 1),
            catalogue);
    return new TimeModel(shape, new Job(4096, tokens, 1.2), EngineTraits.DUOKA, links)
        .estimate(layout, stages);
  }
}
