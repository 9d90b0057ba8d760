package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunListener;
import dev.duoka.train.run.RunOptions;
import dev.duoka.train.run.Trainer;
import dev.duoka.train.run.ValidationResult;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What is said of a run before its first step, and what is found of it afterwards. */
final class PredictedRunTests {
  private static final int GIB = 1 << 30;

  @TempDir Path temporary;
  private Path file;
  private Path run;
  private final ProgramRun program = new ProgramRun();

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(temporary.resolve("corpus"));
    for (int document = 0; document < 20; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    run = temporary.resolve("run");
    file =
        Files.writeString(
            temporary.resolve("small.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, validation_fraction: 0.2, cache: %s}
            training: {tokens_per_step: 128, micro_batch: 2, steps: 12}
            parallel: {data: 2}
            checkpoint: {every_steps: 6}
            validation: {every_steps: 0}
            device: cpu
            threads: 1
            """
                .formatted(corpus, temporary.resolve("cache")));
  }

  private PredictionFile prediction() throws IOException {
    return PredictionFile.parse(Files.readAllBytes(run.resolve(PredictionFile.NAME)), "it");
  }

  private List<JsonNode> metrics() throws IOException {
    return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
        .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8), "it", ErrorCode.FORMAT))
        .toList();
  }

  private static long sum(Map<String, Long> bytes) {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The memory of each rank is as it was predicted, and its speed was predicted too. */
  @Test
  void aRunIsPredictedBeforeItsFirstStepAndNeverAgain() throws IOException {
    assertThat(
            program.run("train", file.toString(), "--run-dir", run.toString(), "--max-steps", "6"))
        .as(program.err().toString())
        .isZero();
    assertThat(program.err().toString())
        .containsPattern("time +[0-9.]+ s a step .* by a probe of \\d+ steps on this CPU")
        .contains("predicted before the first step: prediction.json, sha256 ");
    byte[] first = Files.readAllBytes(run.resolve(PredictionFile.NAME));
    Prediction predicted = prediction().prediction();
    assertThat(prediction().unchanged()).isTrue();
    assertThat(run.resolve("run.log")).content().contains(prediction().sha256());
    assertThat(predicted.ranks()).hasSize(2);
    assertThat(predicted.devices().getFirst().beside()).containsKeys("process");
    assertThat(predicted.step().orElseThrow().byCause())
        .containsOnlyKeys("forward", "backward", "optimizer");
    assertThat(predicted.step().orElseThrow().floor()).isPositive();
    List<JsonNode> reports = metrics().stream().filter(it -> it.has("rank_memory")).toList();
    JsonNode ranks = reports.getLast().path("rank_memory");
    for (int rank = 0; rank < 2; rank++) {
      long measured = 0;
      for (Map.Entry<String, JsonNode> each : ranks.get(rank).properties()) {
        measured += each.getKey().endsWith("_bytes") ? 0 : each.getValue().asLong();
      }
      long expected = sum(predicted.ranks().get(rank));
      assertThat(measured).as("rank %d", rank).isCloseTo(expected, within(expected / 50));
    }
    assertThat(program.run("train", run.resolve("run.yaml").toString(), "--resume"))
        .as(program.err().toString())
        .isZero();
    assertThat(Files.readAllBytes(run.resolve(PredictionFile.NAME))).isEqualTo(first);
    assertThat(run.resolve(PredictionFile.name(6))).doesNotExist();
    assertThat(program.run("top", run.toString(), "--once")).isZero();
    assertThat(program.out().toString())
        .contains("predicted  step ", "roofline utilisation ")
        .doesNotContain("no ledger");
  }

  /** Steps of another layout are predicted anew, beside what was said of those before. */
  @Test
  void aRunThatGoesOnInAnotherWayIsPredictedAnew() throws IOException {
    assertThat(
            program.run("train", file.toString(), "--run-dir", run.toString(), "--max-steps", "6"))
        .isZero();
    byte[] first = Files.readAllBytes(run.resolve(PredictionFile.NAME));
    assertThat(
            program.run(
                "train",
                run.resolve("run.yaml").toString(),
                "--resume",
                "--set",
                "training.micro_batch=1"))
        .as(program.err().toString())
        .isZero();
    assertThat(Files.readAllBytes(run.resolve(PredictionFile.NAME))).isEqualTo(first);
    assertThat(run.resolve("prediction-from-7.json")).exists();
  }

  /** How even experts are is measured with the gradients' ranges. */
  @Test
  void theBusiestExpertOfEachMixtureIsKnown() throws IOException {
    assertThat(
            program.run(
                "train",
                file.toString(),
                "--run-dir",
                run.toString(),
                "--max-steps",
                "4",
                "--set",
                "model.preset=tiny-v3",
                "--set",
                "logging.gradient_range_every=2"))
        .as(program.err().toString())
        .isZero();
    List<JsonNode> loads =
        metrics().stream()
            .filter(it -> it.has("expert_load"))
            .map(it -> it.path("expert_load"))
            .toList();
    assertThat(loads).hasSize(2);
    for (JsonNode mixture : loads.getLast()) {
      assertThat(mixture.asDouble()).isBetween(1.0, 64.0);
    }
    assertThat(loads.getLast().size()).isPositive();
  }

  /** Memory that something takes beside the engine is seen. */
  @Test
  void aGibibyteThatNoLedgerKnowsShows() {
    RunConfig config = RunFile.read(file, List.of("training.steps=24"), RunChecks::problems);
    List<ByteBuffer> planted = new ArrayList<>();
    RunListener planting =
        new Silent() {
          @Override
          public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
            if (metrics.step() == 5) {
              planted.add(ByteBuffer.allocateDirect(GIB));
            }
          }
        };
    new Trainer(
            config, new RunOptions(OptionalLong.empty(), Optional.of(run), false), run, planting)
        .run();
    assertThat(planted).hasSize(1);
    assertThat(program.run("top", run.toString(), "--once")).isZero();
    assertThat(program.out().toString()).contains("on cpu are known to no ledger");
  }

  /** Hears nothing. */
  private abstract static class Silent implements RunListener {
    @Override
    public void notice(String message) {}

    @Override
    public void tokenising(TokenisationProgress progress) {}

    @Override
    public void started(String description) {}

    @Override
    public void validated(long step, ValidationResult result) {}

    @Override
    public void saved(String message) {}

    @Override
    public void sample(String text) {}

    @Override
    public void reached(String what, long done, long total) {}
  }
}
