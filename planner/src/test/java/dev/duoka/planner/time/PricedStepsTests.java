package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.machine.MeasuredMachines;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

/**
 * Steps priced at the rates that one, two and four H200 were measured at, beside what these steps
 * took on such cards (bench/results/2026-11-29-calibrated-one-h200.md, 2026-11-29-rows-two-h200.md,
 * 2026-11-29-rows-four-h200.md and, with adapters, 2026-11-30-memory-and-adapters.md).
 */
final class PricedStepsTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();

  private static final Machine H200 = measured("2026-11-29-one-h200.json");
  private static final Machine TWO_H200 = measured("2026-11-29-two-h200.json");
  private static final Machine FOUR_H200 = measured("2026-11-29-four-h200.json");

  private static Machine measured(String profile) {
    Path profiles = Path.of(System.getProperty("duoka.repository"), "bench/profiles");
    return MeasuredMachines.of(MachineProfileFile.read(profiles.resolve(profile)), CATALOGUE);
  }

  private static final StateForm SIX = new StateForm(MomentForm.BITS8, false, GradientForm.BF16);
  private static final StateForm EIGHT = new StateForm(MomentForm.BF16, false, GradientForm.BF16);

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "deepseek-coder-1.3b, -, 8, 1, 4096, SELECTIVE, FULL, BF16, NONE, 536.9, 5",
        "deepseek-coder-1.3b, -, 1, 1, 4096, NONE, FULL, BF16, NONE, 80.1, 5",
        "deepseek-coder-1.3b, -, 2, 4, 4096, FULL, FULL, BF16, NONE, 690.5, 5",
        "deepseek-v2-lite, num_hidden_layers=5, 2, 1, 4096, NONE, FULL, BF16, NONE, 89.3, 5",
        "deepseek-llm-7b, num_hidden_layers=6, 4, 1, 4096, NONE, FULL, BF16, NONE, 298.0, 5",
        "deepseek-llm-7b, -, 4, 1, 4096, SELECTIVE, SIX, BF16, NONE, 1209.7, 5",
        "deepseek-llm-7b, num_hidden_layers=16 hidden_size=3072 intermediate_size=8192"
            + " num_attention_heads=24 num_key_value_heads=8, 12, 1, 2048, FULL, FULL, BF16, NONE,"
            + " 619.5, 5",
        "deepseek-llm-7b, num_hidden_layers=8, 1, 1, 16384, NONE, FULL, BF16, NONE, 455.8, 5",
        "deepseek-coder-1.3b, -, 8, 1, 4096, NONE, FULL, FP8, NONE, 462.1, 5",
        "deepseek-coder-6.7b, -, 1, 1, 8192, SELECTIVE, EIGHT, BF16, NONE, 695.6, 5",
        "deepseek-coder-1.3b, -, 4, 1, 4096, FULL, FULL, BF16, OPTIMIZER, 1092.4, 10"
      })
  void stepsTakeWhatTheirPartsTake(
      String model,
      String changes,
      int microBatch,
      int accumulation,
      int length,
      Recompute recompute,
      String form,
      Precision precision,
      Offload offload,
      double milliseconds,
      double percent) {
    StateForm states = form.equals("SIX") ? SIX : form.equals("EIGHT") ? EIGHT : StateForm.FULL;
    Layout layout =
        new Layout(
            1,
            1,
            1,
            1,
            1,
            0,
            microBatch,
            accumulation,
            recompute,
            offload,
            LossKind.CHUNKED,
            precision,
            Method.FULL,
            states,
            PipelineOrder.DEFAULT,
            1,
            OffloadUpdate.HOST); // as it was measured
    PlanRequest request =
        new PlanRequest(
            model,
            ModelShape.of(model(model, changes)),
            H200,
            new Job(length, (long) microBatch * accumulation * length, Job.DEFAULT_IMBALANCE),
            Method.FULL,
            List.of(precision),
            List.of(states),
            false,
            EngineTraits.DUOKA);
    StepTime time = new Planner(CATALOGUE).time(request, layout);
    assertThat(time.total() * 1e3).isCloseTo(milliseconds, within(percent / 100 * milliseconds));
    assertThat(time.of(Cause.OTHER)).as("nothing is added").isZero();
  }

  /**
   * All were measured while masters took four bytes beside a weight in bf16, so that an update
   * moved 2 of 38 bytes more than is said: 1.7 ms of tensor 2's 698.
   */
  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "TWO, deepseek-coder-1.3b, -, data=2 zero=1, 8, 1, 4096, SELECTIVE, FP32, 539.4, 5",
        "TWO, deepseek-coder-1.3b, -, data=2 zero=1, 1, 1, 4096, NONE, FP32, 85.4, 5",
        "TWO, deepseek-llm-7b, -, data=2 zero=3, 2, 1, 4096, SELECTIVE, FP32, 633.8, 5",
        "TWO, deepseek-llm-7b, -, tensor=2, 4, 1, 4096, NONE, FP32, 698.2, 5.2",
        "TWO, deepseek-v2-lite, num_hidden_layers=5, data=2 expert=2 zero=1, 2, 1, 4096, NONE,"
            + " BF16, 82.0, 5",
        "FOUR, deepseek-coder-1.3b, -, -, 8, 1, 4096, SELECTIVE, FP32, 529.65, 5",
        "FOUR, deepseek-coder-1.3b, -, data=4 zero=1, 8, 1, 4096, SELECTIVE, FP32, 547.1, 5",
        "FOUR, deepseek-coder-1.3b, -, data=4 zero=1, 1, 1, 4096, NONE, FP32, 86.3, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=3, 2, 1, 4096, SELECTIVE, FP32, 636.2, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=2, 2, 1, 4096, SELECTIVE, FP32, 635.6, 5",
        "FOUR, deepseek-llm-7b, -, tensor=4, 4, 1, 4096, NONE, FP32, 388.4, 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4, 1, 32, 4096, SELECTIVE, FP32, 2659.4, 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4 INTERLEAVED=3, 1, 32, 4096, SELECTIVE, FP32, 2785.2,"
            + " 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4 ZERO_BUBBLE=1, 1, 32, 4096, SELECTIVE, FP32, 2549.9,"
            + " 5",
        "FOUR, deepseek-llm-7b, -, tensor=2 pipeline=2, 1, 32, 4096, SELECTIVE, FP32, 3143.0, 5",
        // measured when weights were gathered before anything else was computed; pairs of tensor
        // ranks take 3 to 6 % longer than said, which is not explained
        "FOUR, deepseek-llm-7b, -, data=2 tensor=2 zero=1, 2, 1, 4096, SELECTIVE, FP32, 387.9, 6",
        "FOUR, deepseek-llm-7b, -, data=2 tensor=2 zero=1, 4, 4, 4096, NONE, FP32, 2740, 6",
        "FOUR, deepseek-v2-lite, num_hidden_layers=5, data=4 expert=4 zero=1, 2, 1, 4096, NONE,"
            + " BF16, 81.4, 5",
        "FOUR, deepseek-v2-lite, -, data=4 expert=4 zero=1, 1, 4, 4096, SELECTIVE, BF16, 768.4, 5",
        "FOUR, deepseek-llm-7b, -, context=4 zero=1, 1, 1, 65536, SELECTIVE, FP32, 3303.0, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=1, 4, 2, 4096, NONE, FP32, 2344.1, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=2, 8, 1, 4096, SELECTIVE, FP32, 2355.7, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=2, 4, 2, 4096, NONE, FP32, 2380.3, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=3, 4, 2, 4096, NONE, FP32, 2413.9, 5",
        "FOUR, deepseek-llm-7b, -, data=4 zero=2, 2, 4, 4096, SELECTIVE, FP32, 2457.6, 5",
        "FOUR, deepseek-llm-7b, -, data=2 pipeline=2 zero=1 ZERO_BUBBLE=1, 2, 8, 4096, NONE,"
            + " FP32, 2466.3, 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4 ZERO_BUBBLE=1, 1, 32, 4096, NONE, FP32, 2526.7, 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4 ZERO_BUBBLE=1, 2, 16, 4096, NONE, FP32, 2535.1, 5",
        "FOUR, deepseek-llm-7b, -, pipeline=4, 1, 32, 4096, NONE, FP32, 2637.9, 5",
        "FOUR, deepseek-llm-7b, -, tensor=4, 8, 4, 4096, NONE, FP32, 2941.0, 5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=1, 2, 4, 4096, NONE, BF16, 1305.4,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=1, 2, 4, 4096, SELECTIVE, BF16, 1326.6,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2, 2, 4, 4096, SELECTIVE, BF16, 1337.6,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=2, 2, 4, 4096, SELECTIVE, BF16, 1341.0,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=3, 2, 4, 4096, SELECTIVE, BF16, 1358.0,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=1, 1, 8, 4096, SELECTIVE, BF16, 1472.0,5",
        "TWO, deepseek-v2-lite, -, data=2 expert=2 zero=1, 2, 4, 4096, FULL, BF16, 1576.0,5",
        "TWO, deepseek-v2-lite, -, pipeline=2 INTERLEAVED=3, 2, 8, 4096, SELECTIVE, BF16, 1392.0,"
            + " 5",
        "TWO, deepseek-v2-lite, -, pipeline=2, 1, 16, 4096, NONE, BF16, 1695.0, 5",
        // with what was measured of their kind and is not explained
        "TWO, deepseek-v2-lite, -, tensor=2 expert=2, 4, 4, 4096, NONE, BF16, 1613.3, 5",
        "TWO, deepseek-v2-lite, -, tensor=2 expert=2, 4, 4, 4096, SELECTIVE, BF16, 1724.2, 5",
        "TWO, deepseek-v2-lite, -, context=2 expert=2 zero=1, 4, 4, 4096, SELECTIVE, BF16, 1681.2,"
            + " 5",
      })
  void stepsOfMeshesTakeWhatTheirPartsTake(
      String cards,
      String model,
      String changes,
      String mesh,
      int microBatch,
      int accumulation,
      int length,
      Recompute recompute,
      MomentForm moments,
      double milliseconds,
      double percent) {
    StateForm states = new StateForm(moments, true, GradientForm.FP32);
    Map<String, Integer> axes = numbers(mesh);
    int data = axes.getOrDefault("data", 1);
    Layout layout =
        new Layout(
            data,
            axes.getOrDefault("tensor", 1),
            axes.getOrDefault("pipeline", 1),
            axes.getOrDefault("expert", 1),
            axes.getOrDefault("context", 1),
            axes.getOrDefault("zero", 0),
            microBatch,
            accumulation,
            recompute,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            Method.FULL,
            states,
            order(axes));
    PlanRequest request =
        new PlanRequest(
            model,
            ModelShape.of(model(model, changes)),
            machine(cards),
            new Job(
                length, (long) length * microBatch * accumulation * data, Job.DEFAULT_IMBALANCE),
            Method.FULL,
            List.of(Precision.BF16),
            List.of(states),
            false,
            EngineTraits.DUOKA);
    StepTime time = new Planner(CATALOGUE).time(request, layout);
    assertThat(time.total() * 1e3)
        .as("%s beside %s", time.exposed(), time.byName())
        .isCloseTo(milliseconds, within(percent / 100 * milliseconds));
  }

  /**
   * Of 7B, full recompute (2026-11-30-masters-in-two-bytes-one-h200.md); with moments in fp32 in
   * pieces half as large as they are now.
   */
  @ParameterizedTest
  @CsvSource({"BF16, 1, 1, 1905, 2", "FP32, 1, 1, 2625, 7", "BF16, 0.5, 1, 1547, 2"})
  void statesThatPassThroughTake(
      MomentForm moments, double fraction, int accumulation, double milliseconds, double percent) {
    StateForm form = new StateForm(moments, true, GradientForm.FP32);
    Layout layout =
        new Layout(
                1,
                1,
                1,
                1,
                1,
                0,
                4,
                accumulation,
                Recompute.FULL,
                Offload.OPTIMIZER,
                LossKind.CHUNKED,
                Precision.BF16,
                Method.FULL,
                form)
            .offloading(fraction);
    PlanRequest request =
        new PlanRequest(
            "deepseek-llm-7b",
            ModelShape.of(Presets.named("deepseek-llm-7b")),
            H200,
            new Job(4096, 4096L * 4 * accumulation, Job.DEFAULT_IMBALANCE),
            Method.FULL,
            List.of(Precision.BF16),
            List.of(form),
            false,
            EngineTraits.DUOKA);
    StepTime time = new Planner(CATALOGUE).time(request, layout);
    assertThat(time.total() * 1e3)
        .as(time.byName().toString())
        .isCloseTo(milliseconds, within(percent / 100 * milliseconds));
  }

  /** Within 7 %: products are slower in steps of which they are a larger part. */
  @ParameterizedTest
  @CsvSource({
    "ONE, deepseek-coder-1.3b, LORA, 1, 0, 4, 1, 4096, NONE, 215.7",
    "ONE, deepseek-llm-7b, LORA, 1, 0, 2, 1, 4096, FULL, 584.4",
    "ONE, deepseek-coder-33b, QLORA, 1, 0, 1, 4, 2048, FULL, 3094",
    "TWO, deepseek-llm-67b, LORA, 2, 3, 1, 4, 4096, SELECTIVE, 8907",
  })
  void stepsOfAdaptersTakeWhatTheirPartsTake(
      String cards,
      String model,
      Method method,
      int data,
      int zero,
      int microBatch,
      int accumulation,
      int length,
      Recompute recompute,
      double milliseconds) {
    Layout layout =
        new Layout(
            data,
            1,
            1,
            1,
            1,
            zero,
            microBatch,
            accumulation,
            recompute,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            method,
            StateForm.FULL,
            PipelineOrder.DEFAULT);
    PlanRequest request =
        new PlanRequest(
            model,
            ModelShape.of(Presets.named(model)),
            machine(cards),
            new Job(
                length, (long) length * microBatch * accumulation * data, Job.DEFAULT_IMBALANCE),
            method,
            List.of(Precision.BF16),
            List.of(StateForm.FULL),
            false,
            EngineTraits.DUOKA);
    StepTime time = new Planner(CATALOGUE).time(request, layout);
    assertThat(time.total() * 1e3)
        .as("%s beside %s", time.exposed(), time.byName())
        .isCloseTo(milliseconds, within(0.07 * milliseconds));
  }

  private static Machine machine(String cards) {
    return switch (cards) {
      case "ONE" -> H200;
      case "TWO" -> TWO_H200;
      case "FOUR" -> FOUR_H200;
      default -> throw new IllegalArgumentException(cards);
    };
  }

  private static PipelineOrder order(Map<String, Integer> axes) {
    for (PipelineKind kind : PipelineKind.values()) {
      if (axes.containsKey(kind.name())) {
        return new PipelineOrder(kind, axes.getOrDefault(kind.name(), 1));
      }
    }
    return PipelineOrder.DEFAULT;
  }

  private static ModelConfig model(String preset, String changes) {
    ObjectNode json = (ObjectNode) Presets.json(preset).deepCopy();
    numbers(changes).forEach(json::put);
    return ModelConfigReader.read(json, preset);
  }

  private static Map<String, Integer> numbers(String text) {
    Map<String, Integer> numbers = new HashMap<>();
    if (text != null) {
      for (String each : text.split(" ", -1)) {
        numbers.put(each.split("=", -1)[0], Integer.parseInt(each.split("=", -1)[1]));
      }
    }
    return numbers;
  }
}
