package dev.duoka.experiment.arm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ArmCommandTests {
  /** What looks for the best step, and so is refused where nothing is validated. */
  private static final String RUN =
      """
      model: {preset: tiny-llama}
      data: {sources: [text.txt], sequence_length: 16, validation_fraction: 0.1}
      training: {tokens_per_step: 32, micro_batch: 1, steps: 10}
      validation: {every_steps: 5, keep_best: true, stop_after: 2}
      """;

  @Test
  void armsOfARunThatLooksForItsBestStepValidateNothing() {
    Arm arm = new Arm("arm", List.of("training.micro_batch=2"), 1, Path.of("no-such-run"));
    List<String> words = new ArmCommand(List.of("duoka"), Path.of("run.yaml")).words(arm, 8, false);
    List<String> set =
        IntStream.range(1, words.size())
            .filter(i -> words.get(i - 1).equals("--set"))
            .mapToObj(words::get)
            .toList();
    RunConfig config = RunFile.parse("a run", RUN, set);
    assertThat(config.validation().everySteps()).isZero();
    assertThat(config.validation().looksForBest()).isFalse();
    assertThat(config.training().microBatch()).hasValue(2);
    assertThat(ArmCommand.sets("validation.keep_best")).isTrue();
    assertThat(ArmCommand.sets("training.micro_batch")).isFalse();
  }
}
