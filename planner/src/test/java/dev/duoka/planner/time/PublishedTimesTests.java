package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.LossKind;
import dev.duoka.planner.Megatron;
import dev.duoka.planner.PublishedRuns;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The time model against step times that others measured. */
final class PublishedTimesTests {
  static List<PublishedRuns.Run> runs() {
    return PublishedRuns.all();
  }

  @ParameterizedTest
  @MethodSource("runs")
  void stepsOfEightB200AreWithinFifteenPercent(PublishedRuns.Run run) {
    assertThat(PublishedTimes.error(run)).isCloseTo(0, within(0.15));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theRangeHoldsThem(PublishedRuns.Run run) {
    ModelShape shape = run.shape();
    Catalogue catalogue = Catalogue.builtIn();
    LinkRates links = new LinkRates(catalogue.machine("8xB200"), catalogue);
    StepTime time =
        new TimeModel(shape, run.job(), Megatron.TRAITS, links)
            .estimate(run.layout(), Stage.split(shape, run.pipeline()));
    assertThat(run.milliseconds() / 1e3).isBetween(time.low(), time.high());
  }

  /** MPT-7B on 8 A100 took 1.30, Llama-3-8B on 8 H100 1.61, V2-Lite 1.89 times the prediction. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 8xA100, 1.30",
    "deepseek-llm-7b, 8xH100, 1.61",
    "deepseek-v2-lite, 8xH100, 1.89"
  })
  void theRangeHoldsTheSlowestPublishedRuns(String model, String machine, double slower) {
    ModelShape shape = ModelShape.of(Presets.named(model));
    Catalogue catalogue = Catalogue.builtIn();
    LinkRates links = new LinkRates(catalogue.machine(machine), catalogue);
    StepTime time =
        new TimeModel(shape, new Job(4096, 4096 * 32, 1), EngineTraits.DUOKA, links)
            .estimate(PublishedTimes.data(8, 1, 1, 4, LossKind.CHUNKED), Stage.split(shape, 1));
    assertThat(time.high()).isGreaterThan(slower * time.total());
  }

  @Test
  void onAverageTheyAreWithinSixPercent() {
    double mean =
        runs().stream()
            .mapToDouble(run -> Math.abs(PublishedTimes.error(run)))
            .average()
            .orElseThrow();
    assertThat(mean).isLessThan(0.06);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 4})
  void compiledPeersOnOneH100AreWithinFivePercent(int batch) {
    assertThat(PublishedTimes.coderOnOneH100(batch)).isCloseTo(0, within(0.05));
  }

  @Test
  void llmC() {
    assertThat(PublishedTimes.gptTwoByLlmC()).isCloseTo(0, within(0.12));
  }

  @Test
  void mosaicMlOnEightA100() {
    assertThat(PublishedTimes.mptOnEightA100()).isCloseTo(0, within(0.12));
  }
}
