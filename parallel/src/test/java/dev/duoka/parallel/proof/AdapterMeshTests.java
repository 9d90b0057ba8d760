package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Operation;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters are trained on each mesh as on one rank. */
class AdapterMeshTests {
  private static final Mesh ONE = new Mesh(1, 1, 1, 1, 1, 1);

  private static final Map<Trial, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  private static Training.Outcome alone(Trial trial) {
    return ALONE.computeIfAbsent(trial.onOneRank(), Trial::run);
  }

  /** On all linear layers; experts' adapters, which have neither dropout nor magnitudes, too. */
  static ModelConfig model(String name, boolean magnitudes, double dropout, boolean experts) {
    ModelConfig whole = Draw.model(name, 4, 2);
    return whole
        .with(whole.layers(), whole.moe(), 0)
        .with(
            new AdapterConfig(
                3,
                6,
                dropout,
                !magnitudes,
                magnitudes,
                new NamePatterns.AllLinear(),
                NamePatterns.NONE,
                experts ? List.of("gate_up_proj", "down_proj") : List.of(),
                List.of(),
                Map.of(".*gate_up_proj", 5, "k_proj", 2),
                Map.of("v_proj", 1.5),
                List.of("lm_head"),
                BaseForm.DENSE));
  }

  @ParameterizedTest
  @CsvSource({
    "dense, lora, 2, 1, 1, 1, 1, 0, NONE, ONE_F_ONE_B",
    "dense, lora, 1, 2, 1, 1, 1, 0, SELECTIVE, ONE_F_ONE_B",
    "dense, lora, 2, 2, 1, 1, 1, 3, FULL, ONE_F_ONE_B",
    "dense, lora, 1, 4, 1, 1, 1, 0, NONE, ONE_F_ONE_B",
    "dense, lora, 1, 1, 2, 1, 1, 0, FULL, ZERO_BUBBLE",
    "dense, lora, 2, 1, 1, 2, 1, 2, NONE, ONE_F_ONE_B",
    "dense, dora, 1, 2, 1, 1, 1, 0, NONE, ONE_F_ONE_B",
    "dense, dora, 2, 2, 1, 1, 1, 3, FULL, ONE_F_ONE_B",
    "dense, dora, 1, 4, 1, 1, 1, 1, SELECTIVE, ONE_F_ONE_B",
    "dense, dora, 1, 2, 2, 1, 1, 0, SELECTIVE, ZERO_BUBBLE",
    "qwen2, lora, 2, 2, 1, 1, 1, 3, FULL, ONE_F_ONE_B",
    "qwen2, dora, 1, 4, 1, 1, 1, 0, SELECTIVE, ONE_F_ONE_B",
    "qwen3, lora, 1, 2, 2, 1, 1, 1, FULL, ZERO_BUBBLE",
    "qwen3, dora, 2, 2, 1, 1, 1, 3, SELECTIVE, ONE_F_ONE_B",
    "v3 mtp, lora, 2, 2, 1, 1, 2, 3, FULL, ONE_F_ONE_B",
    "v3 mtp, dora, 2, 2, 1, 1, 2, 3, FULL, ONE_F_ONE_B",
    "v2, dora, 1, 2, 1, 2, 1, 2, SELECTIVE, ONE_F_ONE_B",
  })
  void withDropoutAsOneRank(
      String model,
      String kind,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind schedule) {
    ModelConfig config = model(model, kind.equals("dora"), 0.1, false);
    check(config, new Mesh(pipeline, 1, data, context, tensor, expert), zero, recompute, schedule);
  }

  @ParameterizedTest
  @CsvSource({
    "moe, 1, 2, 1, 1, 0, NONE",
    "v3 mtp, 2, 1, 1, 2, 1, SELECTIVE",
    "v3 mtp, 2, 2, 1, 4, 3, FULL",
    "v2, 2, 1, 2, 2, 2, FULL",
  })
  void onExpertsAsOneRank(
      String model, int data, int tensor, int pipeline, int expert, int zero, Recompute recompute) {
    check(
        model(model, false, 0, true),
        new Mesh(pipeline, 1, data, 1, tensor, expert),
        zero,
        recompute,
        PipelineKind.ONE_F_ONE_B);
  }

  /** The head's own adapter: of its loss every rank has a part of the vocabulary. */
  @ParameterizedTest
  @CsvSource({
    "dense, lora, 0.1, 2, 1, 1, 1, 1, 3, NONE, ONE_F_ONE_B",
    "dense, lora, 0.1, 1, 2, 1, 1, 1, 0, SELECTIVE, ONE_F_ONE_B",
    "dense, dora, 0.1, 1, 4, 1, 1, 1, 1, FULL, ONE_F_ONE_B",
    "dense, dora, 0, 2, 2, 1, 1, 1, 3, NONE, ONE_F_ONE_B",
    "qwen3, lora, 0.1, 1, 2, 2, 1, 1, 1, FULL, ZERO_BUBBLE",
    "dense, dora, 0.1, 1, 2, 1, 2, 1, 2, NONE, ONE_F_ONE_B",
    "v3 mtp, lora, 0.1, 2, 2, 1, 1, 2, 3, FULL, ONE_F_ONE_B",
  })
  void onTheHeadAsOneRank(
      String model,
      String kind,
      double dropout,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind schedule) {
    ModelConfig config = ofHead(model, kind.equals("dora"), dropout);
    check(config, new Mesh(pipeline, 1, data, context, tensor, expert), zero, recompute, schedule);
    assertThat(alone(trial(config, ONE, 0, Recompute.NONE)).gradients())
        .containsKeys("lm_head.lora_A", "lm_head.lora_B")
        .doesNotContainKey("lm_head.weight");
  }

  static ModelConfig ofHead(String name, boolean magnitudes, double dropout) {
    AdapterConfig adapter =
        new AdapterConfig(
            3,
            6,
            dropout,
            !magnitudes,
            magnitudes,
            new NamePatterns.Ends(List.of("o_proj", "lm_head")),
            NamePatterns.NONE,
            List.of(),
            List.of(),
            Map.of("lm_head", 4),
            Map.of(),
            List.of(),
            BaseForm.DENSE);
    ModelConfig whole = Draw.model(name, 4, 2);
    return whole.with(whole.layers(), whole.moe(), 0).with(adapter);
  }

  /** What is left out by chance makes a difference, so the proofs above are of it, too. */
  @Test
  void dropoutHasAnEffect() {
    Trial with = trial(model("dense", true, 0.1, false), ONE, 0, Recompute.NONE);
    Trial without = trial(model("dense", true, 0, false), ONE, 0, Recompute.NONE);
    assertThat(Equality.FP64.differences(without.run(), alone(with)))
        .extracting(Equality.Difference::name)
        .contains("loss of step 0", "norm of step 0");
  }

  @ParameterizedTest
  @CsvSource({
    "norms of cut rows not summed, dora, 0, tensor, ALL_REDUCE",
    "A of cut outputs not summed over tensor, lora, 0, data and tensor, ALL_REDUCE",
    "B of cut outputs not summed over data, lora, 0, data, ALL_REDUCE",
    "rows not gathered for A, lora, 0, tensor, ALL_GATHER",
    "cut weights not gathered, dora, 3, data, ALL_GATHER",
    "A of the head not summed over tensor, head, 0, data and tensor, ALL_REDUCE",
    "whole weights not gathered, lora, 3, data and tensor, ALL_GATHER",
  })
  void aForgottenExchangeIsNoticed(
      String fault, String kind, int zero, String group, Operation operation) {
    Mesh mesh = new Mesh(2, 1, 2, 1, 2, 1);
    ModelConfig config =
        kind.equals("head")
            ? ofHead("dense", false, 0.1)
            : model("dense", kind.equals("dora"), 0.1, false);
    Trial trial = trial(config, mesh, zero, Recompute.FULL);
    assertThat(differences(trial, group, operation)).as(fault).isNotEmpty();
  }

  /** An error that ends the run is noticed as well. */
  private static List<?> differences(Trial trial, String group, Operation operation) {
    try {
      return Equality.FP64.differences(
          trial.runOn(world -> new FaultyCommunicator(world, group, operation)), alone(trial));
    } catch (DuokaException e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }

  private static Trial trial(ModelConfig config, Mesh mesh, int zero, Recompute recompute) {
    return new Trial(config, mesh, PipelineSettings.DEFAULT, recompute, zero, 24, 2, 2, 2);
  }

  private static void check(
      ModelConfig config, Mesh mesh, int zero, Recompute recompute, PipelineKind schedule) {
    Trial trial =
        new Trial(
            config,
            mesh,
            new PipelineSettings(schedule, 1, List.of()),
            recompute,
            zero,
            24,
            2,
            4,
            3);
    Training.Outcome one = alone(trial);
    assertThat(one.gradients().keySet())
        .allMatch(name -> name.contains(".lora_") || name.equals("lm_head.weight"));
    assertThat(one.gradients().values())
        .allMatch(gradient -> Arrays.stream(gradient).anyMatch(it -> it != 0));
    assertThat(Equality.FP64.differences(trial.run(), one)).isEmpty();
  }
}
