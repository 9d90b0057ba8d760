package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.step.RankBuilder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RunMemoryTests {
  private static final String RUN =
      """
      model: {preset: deepseek-llm-7b}
      data: {sources: [README.md], sequence_length: 64}
      training: {tokens_per_step: 128, micro_batch: 1, steps: 4}
      device: cpu
      """;

  private static Optional<StepMemory.Beside> copy(String... overrides) {
    RunConfig config = RunFile.parse("run.yaml", RUN, List.of(overrides));
    ModelConfig model = ModelSource.config(config.model());
    return RunMemory.checkpointCopy(config, new RankBuilder(config, model, null).settings(), 1);
  }

  @Test
  void theCopyForCheckpointsSaysWhatItIsAndWhichSettingRemovesIt() {
    StepMemory.Beside copy = copy().orElseThrow();
    RunConfig config = RunFile.parse("run.yaml", RUN, List.of());
    assertThat(copy.owner()).isEqualTo("copy for checkpoints");
    assertThat(copy.bytes())
        .isEqualTo(12 * ParameterCounts.of(ModelSource.config(config.model())).total());
    assertThat(copy.remedy())
        .contains("12 bytes a parameter", "checkpoint: {every_steps: 0, final: false}");
  }

  @Test
  void thatSettingDoesRemoveIt() {
    assertThat(copy("checkpoint={every_steps: 0, final: false}")).isEmpty();
    assertThat(copy("checkpoint={every_steps: 0, final: true}")).isPresent();
    assertThat(copy("checkpoint={every_steps: 5, final: false}")).isPresent();
  }
}
