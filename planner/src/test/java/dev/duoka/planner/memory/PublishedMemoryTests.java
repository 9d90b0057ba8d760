package dev.duoka.planner.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.Megatron;
import dev.duoka.planner.PublishedRuns;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The memory model against what others measured and worked out. */
final class PublishedMemoryTests {
  private static final double GIB = 1L << 30;

  static List<PublishedRuns.Run> runs() {
    return PublishedRuns.all();
  }

  @ParameterizedTest
  @MethodSource("runs")
  void peaksOfRealRunsAreWithinThreePercent(PublishedRuns.Run run) {
    ModelShape shape = run.shape();
    MemoryEstimate estimate =
        new MemoryModel(shape, run.job(), Megatron.TRAITS)
            .estimate(run.layout(), Stage.split(shape, run.pipeline()));
    assertThat(estimate.allocated() / GIB / run.allocatedGib() - 1).isCloseTo(0, within(0.03));
  }

  @ParameterizedTest
  @CsvSource({
    "4, 1, 234, 102, 80.5, 58.5, 263, 132, 87.8, 65.8",
    "4, 4, 73.2, 62.2, 60.3, 58.5, 82.3, 71.3, 67.7, 65.8",
    "8, 1, 234, 80.5, 54.9, 29.3, 263, 110, 58.5, 32.9",
    "8, 8, 46.4, 33.5, 31.4, 29.3, 52.2, 39.3, 35.1, 32.9"
  })
  void statesOfV2LiteAreThoseOfTheTable(
      int gpus,
      int expert,
      double zero0,
      double zero1,
      double zero2,
      double zero3,
      double wide0,
      double wide1,
      double wide2,
      double wide3) {
    double[] narrow = {zero0, zero1, zero2, zero3};
    double[] wide = {wide0, wide1, wide2, wide3};
    for (int zero = 0; zero <= 3; zero++) {
      assertThat(states(gpus, expert, zero, GradientForm.BF16))
          .isCloseTo(narrow[zero], within(0.03 * narrow[zero]));
      assertThat(states(gpus, expert, zero, GradientForm.FP32))
          .isCloseTo(wide[zero], within(0.03 * wide[zero]));
    }
  }

  @Test
  void staticPartOfV2CutToFourLayersIsExact() {
    PublishedRuns.Run run = PublishedRuns.all().get(4);
    ModelShape shape = run.shape();
    MemoryEstimate estimate =
        new MemoryModel(shape, run.job(), Megatron.TRAITS)
            .estimate(run.layout(), Stage.split(shape, 1));
    assertThat(estimate.states() / GIB).isCloseTo(37.55, within(0.01));
  }

  private static double states(int gpus, int expert, int zero, GradientForm gradients) {
    ModelShape shape = ModelShape.of(Presets.named("deepseek-v2-lite"));
    StateForm form = new StateForm(MomentForm.FP32, true, gradients);
    return new MemoryModel(shape, new Job(4096, 4096L * gpus, 1), Megatron.TRAITS)
            .estimate(
                layout(gpus, expert, zero).with(zero, Offload.NONE, form), Stage.split(shape, 1))
            .states()
        / GIB;
  }

  private static Layout layout(int data, int expert, int zero) {
    return new Layout(
        data,
        1,
        1,
        expert,
        1,
        zero,
        1,
        1,
        Recompute.NONE,
        Offload.NONE,
        LossKind.CHUNKED,
        Precision.BF16,
        Method.FULL);
  }
}
