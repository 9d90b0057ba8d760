package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunChecksTests {
  @TempDir Path folder;

  private Path runFile(String extra) throws IOException {
    String text = SmallRun.FILE.formatted(SmallRun.corpus(folder), folder.resolve("cache"));
    return Files.writeString(folder.resolve("run.yaml"), text + extra);
  }

  @Test
  void findsNothingWrongWithARunThatWorks() throws IOException {
    assertThat(RunChecks.problems(SmallRun.config(folder))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model.preset=tiny-v4 | there is no model preset 'tiny-v4'. Did you mean 'tiny-v2'?"
            + " Presets:",
        "model.overrides.foo=1 | model.overrides names 'foo', which preset tiny-v3 does not have",
        "model.overrides.num_hidden_layers=-1 | num_hidden_layers",
        "data.format=chat | data.chat_template is not set",
        "data={sources: [x], sequence_length: 32, format: chat, chat_template: plane} |"
            + " Did you mean 'plain'?",
        "model.overrides={max_position_embeddings: 16} | data.sequence_length is 32, but the model"
            + " has 16 positions",
        "data.tokenizer=no/such/tokenizer | cannot read tokenizer",
        "data.sources=[no/such/file] | the source no/such/file does not exist",
        "data.field=body | plain text only, which has no fields",
      })
  void refusesWithTheFieldWhatTrainingWouldRefuse(String override, String message)
      throws IOException {
    Path file = runFile("");
    List<String> overrides = List.of(override);
    String field = override.substring(0, override.indexOf('='));
    assertThatThrownBy(() -> RunFile.read(file, overrides, RunChecks::problems))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining(message.contains("positions") ? "run.yaml:2" : "--set " + field)
        .hasMessageContaining(message);
    RunConfig config = RunFile.read(file, overrides);
    assertThatThrownBy(() -> RunChecks.require(config))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining(message);
  }

  @Test
  void namesTheLineOfEachProblem() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("bad.yaml"),
            """
            model:
              preset: tiny-v4
            data:
              sources: [no_such_folder, nor_this]
              tokenizer: nowhere
            training: {tokens_per_step: 2048, steps: 1}
            """);
    assertThatThrownBy(() -> RunFile.read(file, List.of(), RunChecks::problems))
        .hasMessageContaining("4 problems in " + file)
        .hasMessageContaining("bad.yaml:2:3: there is no model preset")
        .hasMessageContaining("bad.yaml:5:3: cannot read tokenizer nowhere")
        .hasMessageContaining("bad.yaml:4:3: the source no_such_folder does not exist")
        .hasMessageContaining("bad.yaml:4:3: the source nor_this does not exist");
  }

  @Test
  void refusesATokenizerThatIsTooLargeForTheModel() throws IOException {
    RunConfig config =
        SmallRun.config(
            folder, "model.overrides={vocab_size: 256, bos_token_id: 1, eos_token_id: 2}");
    assertThat(RunChecks.problems(config))
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.field()).isEqualTo("data.tokenizer");
              assertThat(problem.problem()).contains("vocabulary has 256 entries");
            });
  }
}
