package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A base in 4 bits is the same on each mesh, to the bit, and adapters are trained beside it as
 * beside the numbers that it stands for. Rows of these models are no whole blocks, so ranks share
 * blocks however weights are cut.
 */
class Nf4MeshTests {
  private static final Mesh ONE = new Mesh(1, 1, 1, 1, 1, 1);
  private static final double DISTURBANCE = 0.05;

  private static final Map<ModelConfig, Map<String, double[]>> WHOLE = new ConcurrentHashMap<>();
  private static final Map<Trial, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  private static ModelConfig model(String name, boolean magnitudes, BaseForm form) {
    boolean experts = name.startsWith("v") || name.equals("moe");
    ModelConfig dense =
        AdapterMeshTests.model(name, magnitudes, magnitudes ? 0.1 : 0, experts && !magnitudes);
    return dense.with(Objects.requireNonNull(dense.adapter()).on(form));
  }

  private static Trial trial(
      ModelConfig config, Mesh mesh, int zero, Recompute recompute, PipelineKind schedule) {
    PipelineSettings pipeline = new PipelineSettings(schedule, 1, List.of());
    return new Trial(config, mesh, pipeline, recompute, zero, 24, 2, 2, 2);
  }

  private static void fill(LanguageModel model) {
    WeightInitializer.initialize(model, 0);
    WeightInitializer.disturbConstants(model, 0, DISTURBANCE);
  }

  /** What the ranks of a mesh hold of the weights in 4 bits, as the numbers that they stand for. */
  private static Map<String, double[]> numbers(Trial trial) {
    Map<String, double[]> whole = new ConcurrentHashMap<>();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(trial.mesh(), world, device, trial.settings())) {
            rank.optimizer().fill(() -> fill(rank.model()));
            for (Parameter parameter : rank.model().parameters().parameters()) {
              if (parameter.isInFourBits()) {
                parameter.with(value -> give(parameter, value, whole));
              }
            }
          }
        });
    return whole;
  }

  private static boolean give(Parameter parameter, Tensor value, Map<String, double[]> whole) {
    try (Scope _ = Scope.open()) {
      Portion portion = parameter.spec().portion();
      double[] nothing = new double[Math.toIntExact(portion.rows() * portion.columns())];
      Arrays.fill(nothing, Double.NaN);
      Tensor all =
          HostCopy.fromDoubles(
              nothing, Dtype.FLOAT64, Device.CPU, portion.rows(), portion.columns());
      portion.give(value, all, 0);
      double[] given = HostCopy.doubles(all);
      double[] sum = whole.computeIfAbsent(parameter.name(), _ -> nothing.clone());
      synchronized (sum) {
        for (int i = 0; i < given.length; i++) {
          if (!Double.isNaN(given[i])) {
            sum[i] = given[i];
          }
        }
      }
      return true;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "dense, lora, 1, 2, 1, 1, 0, NONE, ONE_F_ONE_B, NF4",
    "dense, dora, 2, 2, 1, 1, 3, FULL, ONE_F_ONE_B, NF4",
    "dense, lora, 2, 1, 1, 1, 3, SELECTIVE, ONE_F_ONE_B, NF4_SINGLE",
    "dense, lora, 1, 4, 1, 1, 0, SELECTIVE, ONE_F_ONE_B, NF4_SINGLE",
    "qwen3, lora, 1, 2, 2, 1, 1, FULL, ZERO_BUBBLE, NF4",
    "moe, lora, 1, 2, 1, 1, 0, NONE, ONE_F_ONE_B, NF4",
    "v3 mtp, lora, 2, 1, 1, 2, 1, SELECTIVE, ONE_F_ONE_B, NF4",
    "v3 mtp, lora, 2, 2, 1, 4, 3, FULL, ONE_F_ONE_B, NF4",
    "v2, lora, 2, 1, 2, 2, 2, FULL, ONE_F_ONE_B, NF4",
  })
  void onMeshesAsOnOneRank(
      String name,
      String kind,
      int data,
      int tensor,
      int pipeline,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind schedule,
      BaseForm form) {
    ModelConfig config = model(name, kind.equals("dora"), form);
    Mesh mesh = new Mesh(pipeline, 1, data, 1, tensor, expert);
    Trial trial = trial(config, mesh, zero, recompute, schedule);
    Map<String, double[]> whole = WHOLE.computeIfAbsent(config, _ -> numbers(trial.onOneRank()));
    Map<String, double[]> parts = numbers(trial);
    assertThat(parts.keySet()).isEqualTo(whole.keySet());
    whole.forEach((weight, is) -> assertThat(parts.get(weight)).as(weight).isEqualTo(is));
    Training.Outcome one = ALONE.computeIfAbsent(trial.onOneRank(), Trial::run);
    assertThat(one.gradients().values())
        .allMatch(gradient -> Arrays.stream(gradient).anyMatch(it -> it != 0));
    assertThat(Equality.FP64.differences(trial.run(), one)).isEmpty();
  }

  /** Each tensor of the checkpoint is quantized for itself, as it would be alone. */
  @ParameterizedTest
  @CsvSource({"dense", "v3 mtp"})
  void blocksAreThoseOfTheCheckpointsTensors(String name) {
    ModelConfig config = model(name, false, BaseForm.NF4);
    AdapterConfig adapter = Objects.requireNonNull(config.adapter());
    Trial trial = trial(config, ONE, 0, Recompute.NONE, PipelineKind.ONE_F_ONE_B);
    Trial dense =
        trial(
            config.with(adapter.on(BaseForm.DENSE)),
            ONE,
            0,
            Recompute.NONE,
            PipelineKind.ONE_F_ONE_B);
    Map<String, double[]> packed = numbers(trial);
    assertThat(packed).isNotEmpty();
    dense.onRanks(
        (world, device) -> {
          try (TrainingRank rank = TrainingRank.allocate(ONE, world, device, dense.settings())) {
            fill(rank.model());
            for (Weight weight : rank.model().weights()) {
              double[] stands = packed.get(weight.spec().name());
              if (stands != null) {
                assertThat(stands).isEqualTo(quantized(weight));
              }
            }
          }
        });
  }

  private static double[] quantized(Weight weight) {
    float[] all = HostCopy.floats(weight.parameter().value());
    double[] numbers = new double[all.length];
    for (CheckpointTensor tensor : weight.checkpointTensors()) {
      int first = Math.toIntExact(tensor.offset());
      float[] elements = Arrays.copyOfRange(all, first, first + (int) tensor.elements());
      float[] again = Nf4.dequantize(Nf4.quantize(elements), elements.length, true);
      for (int i = 0; i < again.length; i++) {
        numbers[first + i] = again[i];
      }
    }
    return numbers;
  }

  /** Which weights are in 4 bits: all matrices of decoder layers but those of routers. */
  @Test
  void onlyMatricesOfLayersAreInFourBits() {
    Trial trial =
        trial(
            model("v3 mtp", false, BaseForm.NF4), ONE, 0, Recompute.NONE, PipelineKind.ONE_F_ONE_B);
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank = TrainingRank.allocate(ONE, world, device, trial.settings())) {
            for (Parameter parameter : rank.model().parameters().parameters()) {
              String name = parameter.name();
              boolean matrix = parameter.spec().shape().size() > 1;
              boolean other =
                  name.contains("lora_")
                      || name.contains("embed_tokens")
                      || name.contains("lm_head")
                      || name.endsWith("mlp.gate.weight");
              assertThat(parameter.isInFourBits()).as(name).isEqualTo(matrix && !other);
            }
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "dense, lora, NONE, NF4",
    "dense, dora, FULL, NF4",
    "qwen2, lora, SELECTIVE, NF4_SINGLE",
    "v3 mtp, lora, FULL, NF4",
    "moe, lora, NONE, NF4",
  })
  void gradientsAreThoseBesideTheNumbersThatItStandsFor(
      String name, String kind, Recompute recompute, BaseForm form) {
    ModelConfig config = model(name, kind.equals("dora"), form);
    AdapterConfig adapter = Objects.requireNonNull(config.adapter());
    Trial packed = trial(config, ONE, 0, recompute, PipelineKind.ONE_F_ONE_B);
    Trial dense =
        trial(config.with(adapter.on(BaseForm.DENSE)), ONE, 0, recompute, PipelineKind.ONE_F_ONE_B);
    Map<String, double[]> numbers = numbers(packed);
    Map<String, double[]> ofPacked = gradients(packed, Map.of());
    Map<String, double[]> ofNumbers = gradients(dense, numbers);
    assertThat(ofPacked.keySet()).isEqualTo(ofNumbers.keySet()).isNotEmpty();
    ofNumbers.forEach(
        (weight, gradient) -> {
          double largest = Arrays.stream(gradient).map(Math::abs).max().orElseThrow();
          double[] other = Objects.requireNonNull(ofPacked.get(weight));
          for (int i = 0; i < gradient.length; i++) {
            assertThat(Math.abs(other[i] - gradient[i]))
                .as("%s at %d", weight, i)
                .isLessThanOrEqualTo(1e-12 * largest);
          }
        });
    // The base before it was quantized gives others.
    Map<String, double[]> before = gradients(dense, Map.of());
    assertThat(ofNumbers)
        .anySatisfy(
            (weight, gradient) ->
                assertThat(gradient).isNotEqualTo(Objects.requireNonNull(before.get(weight))));
  }

  /** The gradients of a step of one rank, some of whose weights are given. */
  private static Map<String, double[]> gradients(Trial trial, Map<String, double[]> given) {
    WholeTensors gradients = new WholeTensors();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank = TrainingRank.allocate(ONE, world, device, trial.settings())) {
            rank.optimizer().fill(() -> fill(rank.model()));
            for (Parameter parameter : rank.model().parameters().parameters()) {
              double[] numbers = given.get(parameter.name());
              if (numbers != null) {
                try (Scope _ = Scope.open()) {
                  Tensor value = parameter.value();
                  Copies.into(
                      value,
                      HostCopy.fromDoubles(numbers, Dtype.FLOAT64, Device.CPU, value.shape()));
                }
              }
            }
            rank.step().run(trial.training().batch(0, 0), Training.LEARNING_RATE);
            gradients.add(rank, StateSlice::gradients);
          }
        });
    return new LinkedHashMap<>(gradients.tensors());
  }
}
