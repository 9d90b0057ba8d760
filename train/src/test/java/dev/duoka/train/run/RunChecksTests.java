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
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** A table of somebody's: what it does not compute would be missing from the gradients. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0F0,0F1 | 1F0,1F1 | of stage 0 its gradients are never reduced",
        "0F0,0F1,0B0,0B1 | 1F0,1F1,1I0,1I1 | of stage 1 its gradients are never reduced",
        "0F0,0F1,0B0 | 1F0,1F1,1B0,1B1 | the gradients of micro-batch 1 are not there yet",
        "0F0,0F1,0B0,0B1,0B1 | 1F0,1F1,1B0,1B1 | 0B1: is there twice",
        "0F0,0F1,0B0,0B1 | 1F0,1B0,1B1,1F1 | cannot end",
        "0F0,0F99999999999 | 1F0 | is no action of a schedule",
        "0F0,0B0 | 1F0,1B0 | has 2 ranks and 1 micro-batches, but the run has 2 and 2",
      })
  void aTableThatComputesNoWholeStepIsRefused(String first, String second, String message)
      throws IOException {
    assertThatThrownBy(() -> withTable(first, second))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("parallel")
        .hasMessageContaining(message);
  }

  @Test
  void aTableThatComputesAStepIsTaken() throws IOException {
    assertThat(withTable("0F0,0F1,0B0,0B1", "1F0,1F1,1B0,1B1").parallel().pipeline()).isEqualTo(2);
  }

  private RunConfig withTable(String first, String second, String... further) throws IOException {
    Path table = Files.writeString(folder.resolve("own.csv"), first + "\n" + second + "\n");
    List<String> overrides = new ArrayList<>();
    overrides.add("training.micro_batch=2");
    overrides.add("training.tokens_per_step=128");
    overrides.add("parallel={pipeline: 2, schedule: " + table + "}");
    overrides.addAll(List.of(further));
    return RunFile.read(runFile(""), overrides, RunChecks::problems);
  }

  /** A V of four stages on two ranks: layers are counted by the table's stages. */
  @Test
  void aTableOfSeveralStagesARankCountsThem() throws IOException {
    String first = "0F0,3F0,0F1,3F1,3B0,0B0,3B1,0B1";
    String second = "1F0,2F0,1F1,2F1,2B0,1B0,2B1,1B1";
    assertThat(withTable(first, second, "model.overrides.num_hidden_layers=4").parallel().stages())
        .isEmpty();
    assertThat(
            withTable(
                    first,
                    second,
                    "model.overrides.num_hidden_layers=5",
                    "parallel.stages=[1, 2, 1, 1]")
                .parallel()
                .stages())
        .hasSize(4);
    assertThatThrownBy(() -> withTable(first, second, "model.overrides.num_hidden_layers=3"))
        .hasMessageContaining("the model has 3 layers for the schedule's 4 stages")
        .hasMessageContaining("Take a schedule of at most 3 stages");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nccl", "peer"})
  void whatMovesTensorsBetweenCardsIsRefusedOnACpu(String collectives) throws IOException {
    assertThat(
            RunChecks.problems(
                SmallRun.config(
                    folder, "device=cpu", "parallel={data: 2, collectives: " + collectives + "}")))
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.field()).isEqualTo("parallel.collectives");
              assertThat(problem.problem()).contains(collectives, "2 ranks lie on");
            });
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
        .hasMessageContaining("bad.yaml:4:13: the source no_such_folder does not exist")
        .hasMessageContaining("bad.yaml:4:29: the source nor_this does not exist");
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
