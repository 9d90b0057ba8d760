package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many blocks lie in a bucket changes no bit of what is learned. */
class BucketSizeTests {
  private static final int LAYERS = 5;

  /** The last bucket of a stage is a smaller one in most of these. */
  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 1, 1, 0, NONE, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 1, 1, 1, 1, 1, SELECTIVE, ONE_F_ONE_B, NONE, 2",
    "dense, 3, 1, 1, 1, 1, 2, NONE, ONE_F_ONE_B, NONE, 3",
    "dense, 2, 1, 1, 1, 1, 3, FULL, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 1, 1, 1, 1, 3, NONE, ONE_F_ONE_B, NONE, 8",
    "dense tied, 1, 2, 1, 1, 1, 0, NONE, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 2, 1, 1, 1, 3, FULL, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 1, 2, 1, 1, 0, NONE, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 1, 2, 1, 1, 2, FULL, INTERLEAVED, NONE, 2",
    "dense tied, 2, 1, 2, 1, 1, 3, SELECTIVE, ZERO_BUBBLE, NONE, 2",
    "dense, 1, 1, 1, 2, 1, 1, NONE, ONE_F_ONE_B, NONE, 2",
    "moe, 2, 1, 1, 1, 2, 1, NONE, ONE_F_ONE_B, NONE, 2",
    "moe, 2, 1, 1, 1, 1, 3, SELECTIVE, ONE_F_ONE_B, NONE, 2",
    "v3 mtp, 4, 1, 1, 1, 2, 3, FULL, ONE_F_ONE_B, NONE, 3",
    "v3 mtp, 2, 1, 2, 1, 2, 2, SELECTIVE, ONE_F_ONE_B, NONE, 2",
    "v2, 2, 2, 1, 1, 2, 2, SELECTIVE, ONE_F_ONE_B, NONE, 2",
    "dense, 2, 1, 1, 1, 1, 1, NONE, ONE_F_ONE_B, OPTIMIZER, 2",
    "dense, 2, 1, 1, 1, 1, 3, NONE, ONE_F_ONE_B, OPTIMIZER, 2",
  })
  void changesNoBit(
      String name,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind kind,
      Offload offload,
      int blocks) {
    Mesh mesh = new Mesh(pipeline, 1, data, context, tensor, expert);
    int stages = kind == PipelineKind.INTERLEAVED ? 2 : 1;
    PipelineSettings order = new PipelineSettings(kind, stages, List.of());
    Trial trial = new Trial(Draw.model(name, LAYERS, 2), mesh, order, recompute, zero, 24, 2, 4, 3);
    for (OffloadUpdate update :
        offload == Offload.NONE ? List.of(OffloadUpdate.DEVICE) : List.of(OffloadUpdate.values())) {
      sameBits(trial.with(offload, update), blocks);
    }
  }

  /** What is frozen lies in buckets of its own, in its own form. */
  @ParameterizedTest
  @CsvSource({
    "dense, layers[1] layers[3].mlp, 2, 1, 3",
    "v3 mtp, mlp.experts embed_tokens, 2, 2, 2",
  })
  void besideWhatIsFrozen(String name, String frozen, int data, int expert, int zero) {
    ModelConfig config =
        Draw.model(name, LAYERS, 2).freezing(new NamePatterns.Within(List.of(frozen.split(" "))));
    sameBits(trial(config, data, expert, zero), 2);
  }

  @ParameterizedTest
  @CsvSource({"dense, DENSE, 2, 2", "dense, NF4, 2, 3", "moe, NF4, 2, 3"})
  void besideAnAdapter(String name, BaseForm form, int data, int zero) {
    ModelConfig config = AdapterMeshTests.model(name, false, 0, name.equals("moe"));
    config = config.with(Objects.requireNonNull(config.adapter()).on(form));
    sameBits(trial(config, data, 1, zero), 2);
  }

  private static Trial trial(ModelConfig config, int data, int expert, int zero) {
    Mesh mesh = new Mesh(1, 1, data, 1, 1, expert);
    PipelineSettings order = PipelineSettings.DEFAULT;
    return new Trial(config, mesh, order, Recompute.SELECTIVE, zero, 24, 2, 2, 3);
  }

  /** In fp32, with a norm that is clipped: what differs in the last bit of fp64 is told apart. */
  private static void sameBits(Trial trial, int blocks) {
    Training.Outcome apart = run(trial, 1);
    Training.Outcome together = run(trial, blocks);
    assertThat(losses(together)).isEqualTo(losses(apart));
    assertThat(bits(together.gradients())).isEqualTo(bits(apart.gradients()));
    assertThat(bits(together.weights())).isEqualTo(bits(apart.weights()));
    assertThat(bits(apart.weights())).isNotEqualTo(bits(apart.start()));
  }

  private static Training.Outcome run(Trial trial, int blocks) {
    StepSettings of64 = trial.settings();
    StepSettings settings =
        new StepSettings(
                of64.model(),
                Precision.FP32,
                of64.recompute(),
                of64.sequenceLength(),
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0.5),
                of64.zeroStage(),
                of64.lossScale(),
                of64.auxiliary())
            .with(of64.pipeline())
            .with(of64.states().inBucketsOf(blocks));
    Training training =
        new Training(
            settings, trial.mesh(), trial.microBatch(), trial.accumulation(), trial.steps(), 0);
    return training.run(trial::onRanks);
  }

  private static List<List<Double>> losses(Training.Outcome outcome) {
    return outcome.losses().stream()
        .map(step -> List.of(step.of("loss"), step.of("further loss")))
        .toList();
  }

  private static Map<String, Integer> bits(Map<String, double[]> tensors) {
    Map<String, Integer> bits = new TreeMap<>();
    tensors.forEach((name, values) -> bits.put(name, Arrays.hashCode(values)));
    return bits;
  }
}
