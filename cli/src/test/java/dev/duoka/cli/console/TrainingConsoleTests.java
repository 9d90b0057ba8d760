package dev.duoka.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

final class TrainingConsoleTests {
  private static final RunConfig CONFIG =
      RunFile.parse(
          "run.yaml",
          """
          model: {preset: tiny-v3}
          data: {sources: [a]}
          training: {tokens_per_step: 1024, steps: 5}
          """,
          List.of());
  private static final RunResult.Speed SPEED = new RunResult.Speed(1000, 800, 0.25);

  @TempDir Path run;
  private final StringWriter out = new StringWriter();

  @BeforeEach
  void makeTheFolder() throws IOException {
    Files.createDirectories(run.resolve("checkpoints"));
  }

  private RunResult result(RunResult.End end, OptionalLong checkpoint, boolean saveFailed) {
    return result(end, checkpoint, 10, saveFailed);
  }

  private RunResult result(
      RunResult.End end, OptionalLong checkpoint, long totalSteps, boolean saveFailed) {
    return result(end, checkpoint, totalSteps, saveFailed, Optional.empty());
  }

  private RunResult result(
      RunResult.End end,
      OptionalLong checkpoint,
      long totalSteps,
      boolean saveFailed,
      Optional<RunResult.Best> best) {
    boolean worked = end != RunResult.End.NOTHING_TO_DO;
    return new RunResult(
        worked ? 2.5 : Double.NaN,
        OptionalDouble.empty(),
        10,
        5,
        totalSteps,
        worked ? SPEED : new RunResult.Speed(Double.NaN, Double.NaN, Double.NaN),
        1 << 20,
        run,
        end,
        checkpoint,
        saveFailed,
        best,
        "once upon");
  }

  private String finished(RunResult result, boolean json) {
    return finished(result, json, CONFIG);
  }

  private String finished(RunResult result, boolean json, RunConfig config) {
    PrintWriter writer = new PrintWriter(out, true);
    new TrainingConsole(writer, new PrintWriter(new StringWriter()), config, json)
        .finished(result, Path.of("my.yaml"));
    return out.toString();
  }

  @Test
  void suggestsAPromptThatFits() {
    assertThat(finished(result(RunResult.End.COMPLETE, OptionalLong.of(10), false), false))
        .contains("Done after 10 steps: loss 2.5000, 1,000 tokens/s (800 with validation")
        .contains("newest one  of step 10")
        .contains("./duoka generate " + run + " --prompt \"once upon\"");
  }

  /** Each line that is proposed is one that the run file takes. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "steps: 5 | train my.yaml --set training.precision=bf16 --max-steps 50 | training.steps",
        "epochs: 2 | train my.yaml --set training.precision=bf16 --max-steps 50 | training.steps",
        "epochs: 2, precision: bf16 | ./duoka export | my.yaml",
      })
  void proposesWhatTheRunFileTakes(String training, String proposed, String not) {
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            "model: {preset: tiny-v3}\ndata: {sources: [a]}\ntraining: {tokens_per_step: 1024, "
                + training
                + "}\n",
            List.of());
    assertThat(finished(result(RunResult.End.COMPLETE, OptionalLong.of(10), false), false, config))
        .contains(proposed)
        .doesNotContain(not);
  }

  @Test
  void whatWasTunedOnChatsIsTalkedTo() {
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            """
            model: {preset: tiny-v3}
            data: {sources: [a], format: chat, chat_template: plain}
            training: {tokens_per_step: 1024, steps: 5}
            """,
            List.of());
    assertThat(finished(result(RunResult.End.COMPLETE, OptionalLong.of(10), false), false, config))
        .contains("./duoka chat " + run)
        .doesNotContain("generate");
  }

  @ParameterizedTest
  @CsvSource({"10, false", "20, true"})
  void suggestsToGoOnWhereStepsAreLeft(long totalSteps, boolean goesOn) {
    RunResult tenSteps = result(RunResult.End.COMPLETE, OptionalLong.of(10), totalSteps, false);
    assertThat(finished(tenSteps, false).contains("--resume")).isEqualTo(goesOn);
    assertThat(out.toString())
        .startsWith(
            goesOn
                ? "Ended by --max-steps after 10 of " + totalSteps + " steps: loss"
                : "Done after 10 steps: loss");
  }

  /** Of a run that ended because nothing improved, the best step is what is wanted. */
  @Test
  void saysWhereTheBestStepIs() throws IOException {
    RunResult result =
        result(
            RunResult.End.COMPLETE,
            OptionalLong.of(10),
            20,
            false,
            Optional.of(new RunResult.Best(6, 0.75, "facts", true)));
    assertThat(finished(result, false))
        .contains("best one    of step 6, by facts (0.7500), is not kept")
        .contains("./duoka export " + run + " --output")
        .doesNotContain("--resume");
    Path kept = Files.createDirectories(run.resolve("checkpoints/step-00000006"));
    out.getBuffer().setLength(0);
    assertThat(finished(result, false))
        .contains("best one    of step 6, by facts (0.7500): " + kept)
        .contains("./duoka export " + kept + " --output")
        .contains("./duoka generate " + kept + " --prompt");
    out.getBuffer().setLength(0);
    JsonNode best = json(finished(result, true)).path("best");
    assertThat(best.path("step").asLong()).isEqualTo(6);
    assertThat(best.path("by").asString()).isEqualTo("facts");
    assertThat(best.path("ends_run").asBoolean()).isTrue();
  }

  @Test
  void resumesByTheRunsOwnFileWhichHasTheOverrides() {
    assertThat(finished(result(RunResult.End.INTERRUPTED, OptionalLong.of(10), false), false))
        .contains("Stopped after 10 steps")
        .contains("./duoka train " + run.resolve("run.yaml") + " --resume")
        .doesNotContain("my.yaml", "export");
  }

  @Test
  void saysThatASaveFailed() {
    assertThat(finished(result(RunResult.End.COMPLETE, OptionalLong.of(8), true), false))
        .contains("newest one  of step 8")
        .contains("could not be saved")
        .contains("--resume")
        .doesNotContain("generate", "export");
  }

  @Test
  void suggestsNothingThatNeedsACheckpointWhereThereIsNone() {
    assertThat(finished(result(RunResult.End.NOTHING_TO_DO, OptionalLong.empty(), false), false))
        .contains("Nothing to do: step 10 of 5 reached")
        .contains("none was saved")
        .doesNotContain("generate", "export", "loss");
    assertThat(finished(result(RunResult.End.INTERRUPTED, OptionalLong.empty(), false), false))
        .contains("Start it again:\n  ./duoka train my.yaml\n");
  }

  @Test
  void jsonHasStableNames() {
    JsonNode json = json(finished(result(RunResult.End.COMPLETE, OptionalLong.of(8), true), true));
    assertThat(json.propertyNames())
        .containsExactly(
            "loss",
            "validation_loss",
            "steps",
            "tokens_per_second",
            "tokens_per_second_overall",
            "mfu",
            "peak_memory_bytes",
            "run_dir",
            "interrupted",
            "last_checkpoint",
            "best");
    assertThat(json.path("best").isNull()).isTrue();
    assertThat(json.path("last_checkpoint").asLong()).isEqualTo(8);
    assertThat(json.path("tokens_per_second_overall").asDouble()).isEqualTo(800);
    out.getBuffer().setLength(0);
    JsonNode none =
        json(finished(result(RunResult.End.NOTHING_TO_DO, OptionalLong.empty(), false), true));
    assertThat(none.path("last_checkpoint").isNull()).isTrue();
    assertThat(none.path("steps").asLong()).isEqualTo(10);
  }

  private static JsonNode json(String text) {
    return Json.parse(text.getBytes(StandardCharsets.UTF_8), "stdout", ErrorCode.FORMAT);
  }
}
