package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.planner.PublishedRuns;
import dev.duoka.planner.catalogue.Catalogue;
import dev.duoka.planner.catalogue.LinkRates;
import dev.duoka.planner.catalogue.Precision;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Layout;
import dev.duoka.planner.layout.LossKind;
import dev.duoka.planner.layout.Method;
import dev.duoka.planner.layout.Offload;
import dev.duoka.planner.layout.Recompute;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The time model against step times that others measured. */
final class PublishedTimesTests {
  static List<PublishedRuns.Run> runs() {
    return PublishedRuns.all();
  }

  @ParameterizedTest
  @MethodSource("runs")
  void stepsOfEightB200AreWithinFifteenPercent(PublishedRuns.Run run) {
    assertThat(error(run)).isCloseTo(0, within(0.15));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theRangeHoldsThem(PublishedRuns.Run run) {
    ModelShape shape = run.shape();
    Catalogue catalogue = Catalogue.builtIn();
    LinkRates links = new LinkRates(catalogue.machine("8xB200"), catalogue);
    StepTime time =
        new TimeModel(shape, run.job(), EngineTraits.MEGATRON, links)
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
            .estimate(data(8, 1, 1, 4, LossKind.CHUNKED), Stage.split(shape, 1));
    assertThat(time.high()).isGreaterThan(slower * time.total());
  }

  @Test
  void onAverageTheyAreWithinSixPercent() {
    double mean = runs().stream().mapToDouble(run -> Math.abs(error(run))).average().orElseThrow();
    assertThat(mean).isLessThan(0.06);
  }

  /** torch.compile on one H100, fp32 master weights and bf16: the peers of this project. */
  @ParameterizedTest
  @CsvSource({"8, 602.1", "4, 318.0"})
  void compiledPeersOnOneH100AreWithinFivePercent(int batch, double milliseconds) {
    Layout layout = data(1, 0, batch, 1, LossKind.UNFUSED);
    double seconds = seconds(Presets.named("deepseek-coder-1.3b"), "1xH100", layout, 4096);
    assertThat(seconds * 1e3).isCloseTo(milliseconds, within(0.05 * milliseconds));
  }

  /**
   * GPT-2 1558M by llm.c on 8 H100: 2.80 s for 1,048,576 tokens; its MLP as a SwiGLU of equal work.
   */
  @Test
  void llmC() {
    ModelConfig config = PublishedRuns.llama(1600, 48, 25, 25, 4267, 50304);
    double seconds = seconds(config, "8xH100", data(8, 1, 16, 8, LossKind.FUSED), 1024);
    assertThat(seconds).isCloseTo(2.80, within(0.12 * 2.80));
  }

  /** MPT-7B at 2,048 tokens, bf16, sharded over 8 A100-80: 4,641 tokens/s a card. */
  @Test
  void mosaicMlOnEightA100() {
    ModelConfig config = PublishedRuns.llama(4096, 32, 32, 32, 10923, 50368);
    Layout layout = data(8, 3, 16, 4, LossKind.FUSED);
    double tokens = 8.0 * 16 * 4 * 2048;
    double perCard = tokens / seconds(config, "8xA100", layout, 2048) / 8;
    assertThat(perCard).isCloseTo(4641, within(0.12 * 4641));
  }

  private static double error(PublishedRuns.Run run) {
    ModelShape shape = run.shape();
    Catalogue catalogue = Catalogue.builtIn();
    LinkRates links = new LinkRates(catalogue.machine("8xB200"), catalogue);
    double seconds =
        new TimeModel(shape, run.job(), EngineTraits.MEGATRON, links)
            .seconds(run.layout(), Stage.split(shape, run.pipeline()));
    return seconds * 1e3 / run.milliseconds() - 1;
  }

  private static double seconds(ModelConfig config, String machine, Layout layout, int length) {
    ModelShape shape = ModelShape.of(config);
    Catalogue catalogue = Catalogue.builtIn();
    long tokens = (long) length * layout.data() * layout.microBatch() * layout.accumulation();
    LinkRates links = new LinkRates(catalogue.machine(machine), catalogue);
    return new TimeModel(shape, new Job(length, tokens, 1), EngineTraits.MEGATRON, links)
        .seconds(layout, Stage.split(shape, 1));
  }

  private static Layout data(int data, int zero, int batch, int accumulation, LossKind loss) {
    return new Layout(
        data,
        1,
        1,
        1,
        1,
        zero,
        batch,
        accumulation,
        Recompute.NONE,
        Offload.NONE,
        loss,
        Precision.BF16,
        Method.FULL);
  }
}
