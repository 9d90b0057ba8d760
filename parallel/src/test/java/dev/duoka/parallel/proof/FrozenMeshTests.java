package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model of which some weights are frozen is trained on each mesh as on one rank. */
class FrozenMeshTests {
  private static final String BOTTOM = "embed_tokens layers[0:2]";
  private static final Map<Trial, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  private static Training.Outcome alone(Trial trial) {
    return ALONE.computeIfAbsent(trial.onOneRank(), Trial::run);
  }

  /** Paths are divided by spaces. */
  private static ModelConfig model(String name, String frozen) {
    return Draw.model(name, 4, 2).freezing(new NamePatterns.Within(List.of(frozen.split(" "))));
  }

  private static Set<String> names(ModelConfig config, boolean trained) {
    return ModelFactory.declared(config, config.mtpModules()).weights().stream()
        .map(Weight::spec)
        .filter(spec -> spec.trainable() == trained)
        .map(spec -> spec.name())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @ParameterizedTest
  @CsvSource({
    "dense, embed_tokens layers[0:2], 2, 1, 1, 1, 1, 0, NONE, ONE_F_ONE_B, NONE",
    "dense, embed_tokens layers[0:2], 2, 1, 1, 1, 1, 3, FULL, ONE_F_ONE_B, NONE",
    "dense, embed_tokens layers[0:2], 1, 2, 1, 1, 1, 0, SELECTIVE, ONE_F_ONE_B, NONE",
    "dense, embed_tokens layers[0:3], 1, 1, 2, 1, 1, 0, FULL, ONE_F_ONE_B, NONE",
    "dense, embed_tokens layers[0:3], 1, 1, 4, 1, 1, 0, NONE, ZERO_BUBBLE, NONE",
    "dense, embed_tokens layers, 1, 2, 2, 1, 1, 0, NONE, ONE_F_ONE_B, NONE",
    "dense, embed_tokens layers[0:2], 2, 1, 1, 1, 1, 0, NONE, ONE_F_ONE_B, OPTIMIZER",
    "dense, layers.mlp lm_head, 2, 1, 2, 1, 1, 3, FULL, ONE_F_ONE_B, OPTIMIZER",
    "dense, self_attn model.norm, 2, 2, 1, 1, 1, 2, SELECTIVE, ONE_F_ONE_B, NONE",
    "dense, layers[1:3].mlp lm_head, 2, 1, 1, 2, 1, 1, NONE, ONE_F_ONE_B, NONE",
    "dense tied, embed_tokens layers[0:1], 2, 1, 2, 1, 1, 1, NONE, ONE_F_ONE_B, NONE",
    "dense tied, layers[0:3], 1, 2, 2, 1, 1, 0, SELECTIVE, ONE_F_ONE_B, NONE",
    "v3 mtp, embed_tokens layers[0:2], 2, 2, 1, 1, 2, 3, FULL, ONE_F_ONE_B, NONE",
    "v3 mtp, mlp.experts layers[3].mlp, 2, 1, 2, 1, 2, 1, SELECTIVE, ZERO_BUBBLE, NONE",
    "v3 mtp tied, embed_tokens mlp.gate, 1, 2, 2, 1, 1, 0, FULL, ONE_F_ONE_B, NONE",
    "v2, self_attn layers[2:], 1, 2, 1, 2, 1, 0, SELECTIVE, ONE_F_ONE_B, NONE",
  })
  void trainsAsOnOneRank(
      String model,
      String frozen,
      int data,
      int tensor,
      int pipeline,
      int context,
      int expert,
      int zero,
      Recompute recompute,
      PipelineKind schedule,
      Offload offload) {
    ModelConfig config = model(model, frozen);
    Mesh mesh = new Mesh(pipeline, 1, data, context, tensor, expert);
    PipelineSettings stages = new PipelineSettings(schedule, 1, List.of());
    Trial trial =
        new Trial(config, mesh, stages, recompute, zero, 24, 2, 4, 3)
            .with(offload, OffloadUpdate.HOST);
    Training.Outcome one = alone(trial);
    assertThat(one.gradients().keySet()).isEqualTo(names(config, true));
    assertThat(one.gradients().values())
        .allMatch(gradient -> Arrays.stream(gradient).anyMatch(it -> it != 0));
    assertThat(Equality.FP64.differences(trial.run(), one)).isEmpty();
  }

  /** What is trained has the gradients that it has in a model of which all is trained. */
  @ParameterizedTest
  @CsvSource({
    "dense, embed_tokens layers[0:2]",
    "dense tied, layers[1].mlp self_attn",
    "v3 mtp, mlp.experts layers[1] model.norm",
    "v2, lm_head mlp.gate",
  })
  void gradientsAreThoseOfTheWholeModel(String model, String frozen) {
    Trial some = onOne(model(model, frozen));
    Training.Outcome whole = alone(onOne(Draw.model(model, 4, 2)));
    Training.Outcome part = alone(some);
    double norm = part.losses().getFirst().of("norm");
    double wholeNorm = whole.losses().getFirst().of("norm");
    assertThat(norm).isLessThan(wholeNorm);
    assertThat(part.gradients().keySet()).isEqualTo(names(some.model(), true));
    part.gradients()
        .forEach(
            (name, gradient) -> {
              double[] wanted = Objects.requireNonNull(whole.gradients().get(name));
              for (int i = 0; i < gradient.length; i++) { // both are clipped to a norm of 1
                assertThat(gradient[i] * clipped(norm))
                    .isCloseTo(wanted[i] * clipped(wholeNorm), within(1e-12));
              }
            });
  }

  /** What gradients of such a norm are divided by. */
  private static double clipped(double norm) {
    return Math.max(1, norm + 1e-6);
  }

  private static Trial onOne(ModelConfig config) {
    Mesh one = new Mesh(1, 1, 1, 1, 1, 1);
    return new Trial(config, one, PipelineSettings.DEFAULT, Recompute.NONE, 0, 24, 2, 1, 1);
  }

  /** A frozen weight keeps its bits and has neither gradient nor state; the others move. */
  @Test
  void frozenWeightsStayAsTheyAre() {
    Trial trial = onOne(model("v3 mtp", BOTTOM + " mlp.gate"));
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(trial.mesh(), world, device, trial.settings())) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 1));
            Map<String, double[]> before = values(rank);
            for (int step = 0; step < 2; step++) {
              rank.step().run(trial.training().batch(step, 0), 1e-2);
            }
            Map<String, double[]> after = values(rank);
            Set<String> frozen = names(trial.model(), false);
            assertThat(frozen).contains("model.embed_tokens.weight").hasSizeGreaterThan(10);
            after.forEach(
                (name, values) ->
                    assertThat(Arrays.equals(values, before.get(name)))
                        .as(name)
                        .isEqualTo(frozen.contains(name)));
            // All routers are frozen, and with each its bias.
            rank.model()
                .buffers()
                .forEach(buffer -> assertThat(HostCopy.doubles(buffer.value())).containsOnly(0));
            assertThat(rank.model().parameters().trainableBuckets())
                .flatExtracting(Bucket::parameters)
                .extracting(parameter -> parameter.name())
                .containsExactlyInAnyOrderElementsOf(names(trial.model(), true));
            assertThat(rank.optimizer().slices())
                .hasSameSizeAs(rank.model().parameters().trainableBuckets());
          }
        });
  }

  private static Map<String, double[]> values(TrainingRank rank) {
    return rank.model().parameters().parameters().stream()
        .collect(
            Collectors.toMap(
                parameter -> parameter.name(), parameter -> HostCopy.doubles(parameter.value())));
  }

  /** Notes the functions of which the gradients of inputs are computed. */
  private static final class Seen implements FunctionObserver {
    private final List<String> names = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void begin(Phase phase, String name) {
      if (phase == Phase.INPUT_GRADIENTS) {
        names.add(name);
      }
    }

    @Override
    public void end(Phase phase, String name, Work work) {}
  }

  /** The backward pass ends at the lowest weight that is trained, whatever has the stages below. */
  @ParameterizedTest
  @CsvSource({
    "1, NONE, ONE_F_ONE_B",
    "1, SELECTIVE, ONE_F_ONE_B",
    "2, NONE, ONE_F_ONE_B",
    "4, NONE, ONE_F_ONE_B",
    "4, NONE, ZERO_BUBBLE",
    "4, SELECTIVE, GPIPE",
  })
  void nothingIsComputedBelowWhatIsTrained(
      int pipeline, Recompute recompute, PipelineKind schedule) {
    Trial trial =
        new Trial(
            model(
                "dense", "embed_tokens layers[0:2] layers[2].self_attn layers[2].input_layernorm"),
            new Mesh(pipeline, 1, 1, 1, 1, 1),
            new PipelineSettings(schedule, 1, pipeline == 2 ? List.of(1, 3) : List.of()),
            recompute,
            0,
            24,
            2,
            4,
            1);
    Seen seen = new Seen();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(trial.mesh(), world, device, trial.settings())) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 1));
            rank.step().observe(seen);
            rank.step().run(trial.training().batch(0, 0), 1e-3);
          }
        });
    assertThat(seen.names)
        .anyMatch(name -> name.contains("layers.3.self_attn"))
        .anyMatch(name -> name.contains("layers.2.mlp"))
        .noneMatch(name -> name.contains("layers.2.self_attn"))
        .noneMatch(name -> name.contains("layers.2.input_layernorm"))
        .noneMatch(name -> name.contains("layers.1.") || name.contains("layers.0."))
        .noneMatch(name -> name.contains("embed"));
    // The attention of layer 3, in each micro-batch, and no other.
    assertThat(seen.names.stream().filter(name -> name.endsWith("attention"))).hasSize(4);
  }
}
