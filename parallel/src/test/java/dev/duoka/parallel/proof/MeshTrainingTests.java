package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.testing.TinyRuns;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each way to spread a model over ranks trains as one rank does. */
class MeshTrainingTests {
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 2, 1, 1, NONE, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 2, 1, NONE, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 2, 1, SELECTIVE, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 2, 1, FULL, ONE_F_ONE_B, 1",
    "tiny-llama, 2, 2, 1, NONE, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 4, 1, NONE, ONE_F_ONE_B, 1",
    "tiny-v2, 1, 2, 1, SELECTIVE, ONE_F_ONE_B, 1",
    "tiny-moe, 1, 2, 1, NONE, ONE_F_ONE_B, 1",
    "tiny-v3, 1, 2, 1, FULL, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 1, 2, NONE, ONE_F_ONE_B, 1",
    "tiny-llama, 1, 1, 2, NONE, INTERLEAVED, 2",
    "tiny-llama, 1, 1, 4, NONE, ZERO_BUBBLE, 1",
    "tiny-v3, 1, 1, 2, NONE, GPIPE, 1",
    "tiny-v3, 1, 1, 2, FULL, ZERO_BUBBLE, 1",
    "tiny-v3, 2, 2, 2, SELECTIVE, ONE_F_ONE_B, 1",
  })
  void asOneRank(
      String preset,
      int data,
      int tensor,
      int pipeline,
      Recompute recompute,
      PipelineKind kind,
      int stagesPerRank) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-moe, 2, 1, 1, 2, NONE",
    "tiny-v3, 2, 1, 1, 2, SELECTIVE",
    "tiny-v3, 1, 2, 1, 2, FULL",
    "tiny-v2, 2, 2, 1, 4, SELECTIVE",
    "tiny-v3, 2, 2, 2, 4, NONE",
    "tiny-v3, 4, 1, 1, 2, NONE",
    "tiny-moe, 2, 2, 1, 2, FULL",
  })
  void expertsAsOneRank(
      String preset, int data, int tensor, int pipeline, int expert, Recompute recompute) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1, 2, 1, 1, NONE",
    "tiny-llama, 1, 4, 1, 1, FULL",
    "tiny-llama, 2, 3, 1, 1, SELECTIVE",
    "tiny-v3, 1, 2, 2, 1, SELECTIVE",
    "tiny-v2, 1, 2, 1, 2, NONE",
    "tiny-v3, 1, 2, 2, 2, FULL",
  })
  void contextAsOneRank(
      String preset, int data, int context, int tensor, int pipeline, Recompute recompute) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  /** Shards within replicas; sums between them. Experts lie within each replica, too. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 2, 2, 1, 1, 1, NONE",
    "tiny-llama, 2, 2, 1, 1, 2, NONE",
    "tiny-llama, 3, 2, 1, 1, 3, FULL",
    "tiny-llama, 2, 1, 2, 1, 3, NONE",
    "tiny-v3, 2, 2, 2, 4, 3, SELECTIVE",
    "tiny-v3, 2, 2, 1, 2, 2, NONE",
    "tiny-v3, 2, 1, 1, 1, 1, NONE",
  })
  void replicasOfShardsAsOneRank(
      String config,
      int replicate,
      int shard,
      int tensor,
      int expert,
      int zero,
      Recompute recompute) {
    Trial trial =
        new Trial(
            TinyRuns.config(config),
            new Mesh(1, replicate, shard, 1, tensor, expert),
            PipelineSettings.DEFAULT,
            recompute,
            zero,
            24,
            1,
            2,
            3);
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 2, 1, 1, 2, NONE",
    "tiny-llama, 2, 1, 1, 3, NONE",
    "tiny-llama, 4, 1, 1, 3, FULL",
    "tiny-v3, 2, 2, 1, 2, SELECTIVE",
    "tiny-v3, 2, 2, 1, 3, SELECTIVE",
    "tiny-v3, 2, 1, 2, 3, FULL",
    "tiny-v3, 2, 1, 2, 2, NONE",
  })
  void shardsAsOneRank(
      String preset, int data, int tensor, int pipeline, int zero, Recompute recompute) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1, 1, 1, 0, 1, NONE",
    "tiny-llama, 1, 1, 1, 0, 4, FULL",
    "tiny-llama, 2, 1, 1, 0, 2, NONE",
    "tiny-llama, 2, 1, 1, 1, 1, SELECTIVE",
    "tiny-v3, 2, 1, 1, 2, 4, NONE",
    "tiny-v3, 2, 2, 1, 3, 2, FULL",
    "tiny-v3, 1, 2, 2, 0, 4, NONE",
    "tiny-v3, 2, 1, 2, 1, 4, SELECTIVE",
  })
  void statesOnTheHostAsOneRank(
      String preset,
      int data,
      int tensor,
      int pipeline,
      int zero,
      int accumulation,
      Recompute recompute) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(
            Equality.FP64.differences(trial.with(Offload.OPTIMIZER).run(), trial.onOneRank().run()))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1, 2, 1, 1, NONE",
    "tiny-llama, 2, 1, 2, 1, FULL",
    "tiny-v3, 1, 1, 2, 1, SELECTIVE",
    "tiny-v2, 1, 1, 3, 1, NONE",
    "tiny-v3, 1, 2, 2, 2, NONE",
  })
  void documentsApartAsOneRank(
      String preset, int data, int tensor, int context, int pipeline, Recompute recompute) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, Math.max(4, config.layers()), config.mtpModules());
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
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }
}
