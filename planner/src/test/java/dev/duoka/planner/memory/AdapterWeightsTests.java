package dev.duoka.planner.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryOwner;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The closed forms, which choose what is run dry, count the adapter that the engine trains. */
final class AdapterWeightsTests {
  private static final int LENGTH = 256;

  @ParameterizedTest
  @CsvSource({
    // data, tensor, pipeline, expert, method
    "1, 1, 1, 1, LORA",
    "1, 2, 1, 1, LORA",
    "2, 1, 1, 2, LORA",
    "2, 2, 1, 2, QLORA",
    "1, 1, 2, 1, QLORA"
  })
  void statesAreThoseThatTheEngineBooks(
      int data, int tensor, int pipeline, int expert, Method method) {
    ModelConfig plain = Presets.named("deepseek-v2-lite");
    ModelConfig model =
        plain
            .with(4, plain.moe(), 0)
            .with(
                new AdapterConfig(
                    4,
                    8,
                    0,
                    false,
                    false,
                    new NamePatterns.Ends(List.of("q_proj", "kv_b_proj")),
                    NamePatterns.NONE,
                    List.of("gate_up_proj", "down_proj"),
                    List.of(),
                    Map.of(".*q_proj", 8),
                    Map.of(),
                    List.of("o_proj", "lm_head"),
                    BaseForm.DENSE));
    ModelShape shape = ModelShape.of(model);
    Layout layout = layout(data, tensor, pipeline, expert, method);
    List<Stage> stages = Stage.balanced(shape, pipeline, LENGTH);
    List<DryRunJob> jobs = DryRunJob.of(model, layout, LENGTH).ofStages();
    StateBytes state = StateBytes.of(layout, model, EngineTraits.DUOKA);
    for (int stage = 0; stage < pipeline; stage++) {
      StageParameters counted = StageParameters.of(shape, stages.get(stage), layout);
      DryRunJob job = jobs.get(stage);
      Map<MemoryOwner, Long> booked =
          DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job).peakByOwner());
      double trained = counted.trainedDense(layout) + counted.trainedExpert(layout);
      assertThat(trained).isPositive();
      double gradients = booked.getOrDefault(MemoryOwner.GRADIENTS, 0L);
      assertThat(4 * trained).isCloseTo(gradients, within(0.002 * gradients));
      double weights = booked.getOrDefault(MemoryOwner.WEIGHTS, 0L);
      assertThat(counted.weightBytes(layout, state)).isCloseTo(weights, within(0.02 * weights));
    }
  }

  private static Layout layout(int data, int tensor, int pipeline, int expert, Method method) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        1,
        0,
        1,
        pipeline,
        Recompute.NONE,
        Offload.NONE,
        LossKind.CHUNKED,
        Precision.BF16,
        method);
  }
}
