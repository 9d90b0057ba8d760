package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each way to spread a model over ranks trains as one rank does. */
class MeshTrainingTests {
  /** What one rank makes of the same work, which many meshes share. */
  private static final Map<Trial, Training.Outcome> ALONE = new ConcurrentHashMap<>();

  private static Training.Outcome alone(Trial trial) {
    return ALONE.computeIfAbsent(trial.onOneRank(), Trial::run);
  }

  /** Four layers, as narrow as heads and experts allow. */
  private static ModelConfig model(String name) {
    return Draw.model(name, 4, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, NONE, ONE_F_ONE_B, 1",
    "dense, 1, 2, 1, NONE, ONE_F_ONE_B, 1",
    "dense, 1, 2, 1, SELECTIVE, ONE_F_ONE_B, 1",
    "dense, 1, 2, 1, FULL, ONE_F_ONE_B, 1",
    "dense, 2, 2, 1, NONE, ONE_F_ONE_B, 1",
    "dense, 1, 4, 1, NONE, ONE_F_ONE_B, 1",
    "v2, 1, 2, 1, SELECTIVE, ONE_F_ONE_B, 1",
    "moe, 1, 2, 1, NONE, ONE_F_ONE_B, 1",
    "v3 mtp, 1, 2, 1, FULL, ONE_F_ONE_B, 1",
    "dense, 1, 1, 2, NONE, ONE_F_ONE_B, 1",
    "dense, 1, 1, 2, NONE, INTERLEAVED, 2",
    "dense, 1, 1, 4, NONE, ZERO_BUBBLE, 1",
    "v3 mtp, 1, 1, 2, NONE, GPIPE, 1",
    "v3 mtp, 1, 1, 2, FULL, ZERO_BUBBLE, 1",
    "v3 mtp, 2, 2, 2, SELECTIVE, ONE_F_ONE_B, 1",
  })
  void asOneRank(
      String model,
      int data,
      int tensor,
      int pipeline,
      Recompute recompute,
      PipelineKind kind,
      int stagesPerRank) {
    ModelConfig config = model(model);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, 1, tensor, 1),
            new PipelineSettings(kind, stagesPerRank, List.of()),
            recompute,
            1,
            24,
            2,
            4,
            3);
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "moe, 2, 1, 1, 2, NONE",
    "v3 mtp, 2, 1, 1, 2, SELECTIVE",
    "v3 mtp, 1, 2, 1, 2, FULL",
    "v2, 2, 2, 1, 4, SELECTIVE",
    "v3 mtp, 2, 2, 2, 4, NONE",
    "v3 mtp, 4, 1, 1, 2, NONE",
    "moe, 2, 2, 1, 2, FULL",
  })
  void expertsAsOneRank(
      String model, int data, int tensor, int pipeline, int expert, Recompute recompute) {
    ModelConfig config = model(model);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, 1, tensor, expert),
            PipelineSettings.DEFAULT,
            recompute,
            1,
            24,
            2,
            4,
            3);
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }

  /** Whichever way tokens go: what is chosen by itself does not meet every number of ranks. */
  @ParameterizedTest
  @CsvSource({
    "moe, 2, 1, 2, ALL_TO_ALL",
    "moe, 4, 1, 4, ALL_GATHER",
    "v2, 2, 2, 4, ALL_TO_ALL",
    "v2, 2, 2, 4, ALL_GATHER",
  })
  void everyDispatcherIsAsOneRank(
      String model, int data, int tensor, int expert, Dispatcher dispatcher) {
    Trial trial =
        new Trial(
            model(model),
            new Mesh(1, 1, data, 1, tensor, expert),
            PipelineSettings.DEFAULT,
            Recompute.NONE,
            1,
            24,
            2,
            4,
            3);
    Training training =
        new Training(trial.settings().with(dispatcher), trial.mesh(), 2, 4, 3, 0, false);
    assertThat(Equality.FP64.differences(training.run(trial::onRanks), alone(trial))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 1, 2, 1, 1, NONE",
    "dense, 1, 4, 1, 1, FULL",
    "dense, 2, 3, 1, 1, SELECTIVE",
    "v3 mtp, 1, 2, 2, 1, SELECTIVE",
    "v2, 1, 2, 1, 2, NONE",
    "v3 mtp, 1, 2, 2, 2, FULL",
  })
  void contextAsOneRank(
      String model, int data, int context, int tensor, int pipeline, Recompute recompute) {
    ModelConfig config = model(model);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, context, tensor, 1),
            PipelineSettings.DEFAULT,
            recompute,
            1,
            24,
            2,
            4,
            3);
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }

  /** Shards within replicas; sums between them. Experts lie within each replica, too. */
  @ParameterizedTest
  @CsvSource({
    "dense, 2, 2, 1, 1, 1, NONE",
    "dense, 2, 2, 1, 1, 2, NONE",
    "dense, 3, 2, 1, 1, 3, FULL",
    "dense, 2, 1, 2, 1, 3, NONE",
    "v3 mtp, 2, 2, 2, 4, 3, SELECTIVE",
    "v3 mtp, 2, 2, 1, 2, 2, NONE",
    "v3 mtp, 2, 1, 1, 1, 1, NONE",
  })
  void replicasOfShardsAsOneRank(
      String model,
      int replicate,
      int shard,
      int tensor,
      int expert,
      int zero,
      Recompute recompute) {
    Trial trial =
        new Trial(
            model(model),
            new Mesh(1, replicate, shard, 1, tensor, expert),
            PipelineSettings.DEFAULT,
            recompute,
            zero,
            24,
            1,
            2,
            3);
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 2, 1, 1, 2, NONE",
    "dense, 2, 1, 1, 3, NONE",
    "dense, 4, 1, 1, 3, FULL",
    "v3 mtp, 2, 2, 1, 2, SELECTIVE",
    "v3 mtp, 2, 2, 1, 3, SELECTIVE",
    "v3 mtp, 2, 1, 2, 3, FULL",
    "v3 mtp, 2, 1, 2, 2, NONE",
  })
  void shardsAsOneRank(
      String model, int data, int tensor, int pipeline, int zero, Recompute recompute) {
    ModelConfig config = model(model);
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, 1, tensor, config.moe() == null ? 1 : 2),
            PipelineSettings.DEFAULT,
            recompute,
            zero,
            24,
            2,
            4,
            3);
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 1, 1, 1, 0, 1, NONE, HOST",
    "dense, 1, 1, 1, 0, 4, FULL, HOST",
    "dense, 2, 1, 1, 0, 2, NONE, HOST",
    "dense, 2, 1, 1, 1, 1, SELECTIVE, HOST",
    "v3 mtp, 2, 1, 1, 2, 4, NONE, HOST",
    "v3 mtp, 2, 2, 1, 3, 2, FULL, HOST",
    "v3 mtp, 1, 2, 2, 0, 4, NONE, HOST",
    "v3 mtp, 2, 1, 2, 1, 4, SELECTIVE, HOST",
    "dense, 2, 1, 1, 1, 2, SELECTIVE, DEVICE",
    "v3 mtp, 2, 1, 1, 2, 4, NONE, DEVICE",
    "v3 mtp, 2, 2, 1, 3, 2, FULL, DEVICE",
    "v3 mtp, 1, 2, 2, 0, 4, NONE, DEVICE",
    "v3 mtp, 2, 1, 2, 1, 4, SELECTIVE, DEVICE",
  })
  void statesInHostMemoryAsOneRank(
      String model,
      int data,
      int tensor,
      int pipeline,
      int zero,
      int accumulation,
      Recompute recompute,
      OffloadUpdate update) {
    ModelConfig config = model(model);
    boolean spreads = config.moe() != null && data * tensor > 1;
    Trial trial =
        new Trial(
            config,
            new Mesh(pipeline, 1, data, 1, tensor, spreads ? 2 : 1),
            PipelineSettings.DEFAULT,
            recompute,
            zero,
            24,
            2,
            accumulation,
            3);
    assertThat(Equality.FP64.differences(trial.with(Offload.OPTIMIZER, update).run(), alone(trial)))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "dense, 1, 2, 1, 1, NONE",
    "dense, 2, 1, 2, 1, FULL",
    "v3 mtp, 1, 1, 2, 1, SELECTIVE",
    "v2, 1, 1, 3, 1, NONE",
    "v3 mtp, 1, 2, 2, 2, NONE",
  })
  void documentsApartAsOneRank(
      String model, int data, int tensor, int context, int pipeline, Recompute recompute) {
    ModelConfig config = model(model);
    Trial trial =
        new Trial(
                config,
                new Mesh(pipeline, 1, data, context, tensor, 1),
                PipelineSettings.DEFAULT,
                recompute,
                1,
                24,
                2,
                2,
                3)
            .withDocumentsApart();
    assertThat(Equality.FP64.differences(trial.run(), alone(trial))).isEmpty();
  }
}
