package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.formats.json.Json;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.SmallRun.Listener;
import dev.duoka.train.snapshot.SnapshotStore;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class TrainerTests {
  /** For runs that are compared step by step: enough to pass the warm-up. */
  private static final String FEW_STEPS = "training.steps=8";

  @TempDir Path folder;

  private Listener run(String name, String... overrides) throws IOException {
    Listener listener = new Listener();
    SmallRun.run(SmallRun.config(folder, overrides), folder.resolve(name), listener);
    return listener;
  }

  @Test
  void learns() throws IOException {
    Listener listener = run("run");
    assertThat(listener.steps).hasSize(20);
    assertThat(listener.losses().getFirst()).isCloseTo(Math.log(320), within(0.15));
    assertThat(listener.losses().getLast()).isLessThan(listener.losses().getFirst() - 1.5);
  }

  @Test
  void accumulationDoesNotChangeTheStep() throws IOException {
    List<Double> whole = run("whole", FEW_STEPS, "training.micro_batch=16").losses();
    List<Double> halves = run("halves", FEW_STEPS, "training.micro_batch=8").losses();
    List<Double> quarters = run("quarters", FEW_STEPS, "training.micro_batch=4").losses();
    assertCloseSeries(halves, whole);
    assertCloseSeries(quarters, whole);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void ranksDoNotChangeTheStep(int zero) throws IOException {
    List<Double> alone = run("alone", FEW_STEPS).losses();
    List<Double> together =
        run("together", FEW_STEPS, "parallel.data=2", "parallel.zero=" + zero).losses();
    assertCloseSeries(together, alone);
  }

  @ParameterizedTest
  @ValueSource(strings = {"selective", "full"})
  void recomputeDoesNotChangeTheStep(String recompute) throws IOException {
    assertCloseSeries(
        run("again", FEW_STEPS, "training.recompute=" + recompute).losses(),
        run("kept", FEW_STEPS).losses());
  }

  @Test
  void resumesExactly() throws IOException {
    Listener straight = run("straight", "parallel.data=2");
    RunConfig config = SmallRun.config(folder, "parallel.data=2");
    Path runDir = folder.resolve("parts");
    SmallRun.run(config, runDir, new Listener(), 10, false);
    assertThat(Files.readAllLines(runDir.resolve("run.log")).getLast())
        .endsWith(
            " ended: stopped by --max-steps after step 10 of 20; './duoka train "
                + runDir.resolve("run.yaml")
                + " --resume' goes on after step 10");
    Listener second = new Listener();
    RunResult result = SmallRun.run(config, runDir, second, 0, true);
    assertThat(result.steps()).isEqualTo(20);
    assertThat(Files.readAllLines(runDir.resolve("run.log")).getLast())
        .endsWith(" ended: complete after step 20");
    assertThat(second.losses()).isEqualTo(straight.losses().subList(10, 20));
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      Path place = Path.of("checkpoints", "step-00000020", file);
      assertThat(runDir.resolve(place))
          .hasSameBinaryContentAs(folder.resolve("straight").resolve(place));
    }
    assertThat(metrics(runDir).stream().filter(line -> line.has("loss"))).hasSize(20);
  }

  /** What {@code auto} became is said and written down; of one rank there is nothing to say. */
  @Test
  void aRunSaysByWhatItsRanksExchange() throws IOException {
    String few = "training.steps=1";
    assertThat(run("alone", few, "schedule.warmup_steps=0").description)
        .doesNotContain("exchange ");
    Listener spread =
        run("spread", few, "schedule.warmup_steps=0", "parallel={data: 2, expert: 2}");
    assertThat(spread.description)
        .contains("\nexchange collectives copies (auto); tokens to experts by all_gather (auto)\n");
    Path placement = folder.resolve("spread/placement.json");
    assertThat(Files.readString(placement))
        .contains("\"collectives\" : \"copies\"", "\"dispatcher\" : \"all_gather\"");
    SnapshotStore store = new SnapshotStore(folder.resolve("spread"));
    assertThat(store.read(store.starts().getFirst().hash()).fields())
        .containsEntry("placement.collectives", "copies")
        .containsEntry("placement.dispatcher", "all_gather");
    Listener asked =
        run(
            "asked",
            few,
            "schedule.warmup_steps=0",
            "parallel={data: 2, expert: 2, dispatcher: all_to_all, collectives: copies}");
    assertThat(asked.description)
        .contains("\nexchange collectives copies; tokens to experts by all_to_all\n");
  }

  @Test
  void aRunIsMadeLongerBeforeItsDecay() throws IOException {
    String schedule = "schedule={kind: warmup_stable_decay, warmup_steps: 2, decay_steps: 4}";
    Listener straight = run("straight", "training.steps=16", schedule);
    Path runDir = folder.resolve("parts");
    RunConfig shorter = SmallRun.config(folder, "training.steps=12", schedule);
    SmallRun.run(shorter, runDir, new Listener(), 8, false);
    Listener second = new Listener();
    RunConfig longer = SmallRun.config(folder, "training.steps=16", schedule);
    assertThat(SmallRun.run(longer, runDir, second, 0, true).steps()).isEqualTo(16);
    assertThat(second.losses()).isEqualTo(straight.losses().subList(8, 16));
    assertThat(second.steps)
        .extracting(StepMetrics::learningRate)
        .startsWith(3e-3, 3e-3, 3e-3, 3e-3)
        .isEqualTo(straight.steps.subList(8, 16).stream().map(StepMetrics::learningRate).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "fp16"})
  void lowPrecisionFollowsFp32(String precision) throws IOException {
    // Products of fp16 are slow on CPUs.
    String few = "training.tokens_per_step=128";
    List<Double> exact = run("fp32", few).losses();
    List<Double> low = run("low", few, "training.precision=" + precision).losses();
    assertThat(exact.getLast()).isLessThan(exact.getFirst() - 1);
    assertThat(low.getLast()).isCloseTo(exact.getLast(), within(0.15));
  }

  @Test
  void stopsWhenAskedAndSaves() throws IOException {
    Listener listener =
        new Listener() {
          @Override
          public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
            super.step(metrics, totalSteps, remainingSeconds);
            if (metrics.step() == 3) {
              stopTrainer();
            }
          }
        };
    RunResult result =
        SmallRun.run(SmallRun.config(folder, "parallel.data=2"), folder.resolve("run"), listener);
    assertThat(result.interrupted()).isTrue();
    assertThat(result.steps()).isEqualTo(3);
    assertThat(folder.resolve("run/checkpoints/step-00000003/manifest.json")).exists();
  }

  @Test
  void writesMetricsOfEveryStep() throws IOException {
    run("run", "logging.gradient_range_every=5");
    List<JsonNode> lines = metrics(folder.resolve("run"));
    List<JsonNode> steps = lines.stream().filter(line -> line.has("loss")).toList();
    assertThat(steps).hasSize(20);
    assertThat(steps.getFirst().propertyNames())
        .contains(
            "step",
            "loss",
            "lr",
            "grad_norm",
            "loss_scale",
            "tokens_per_second",
            "samples_per_second",
            "mfu",
            "seconds",
            "memory");
    assertThat(steps.get(4).path("grad_range").size()).isGreaterThan(4);
    for (JsonNode range : steps.get(4).path("grad_range")) {
      double farthest = Math.max(-range.path("min").asDouble(), range.path("max").asDouble());
      assertThat(range.path("rms").asDouble()).isPositive().isLessThanOrEqualTo(farthest);
    }
    assertThat(steps.stream().filter(line -> line.has("exposed_seconds"))).isEmpty();
    assertThat(lines.stream().filter(line -> line.has("validation_loss"))).hasSize(2);
  }

  @Test
  void writesNowAndThenHowLongNothingHidTheExchange() throws IOException {
    run("run", "parallel.data=2", "parallel.tensor=2");
    List<JsonNode> steps =
        metrics(folder.resolve("run")).stream()
            .filter(line -> line.has("exposed_seconds"))
            .toList();
    assertThat(steps).hasSize(2);
    JsonNode exposed = steps.getFirst().path("exposed_seconds");
    assertThat(exposed.propertyNames()).contains("data", "tensor");
    assertThat(exposed.path("tensor").asDouble())
        .isPositive()
        .isLessThan(steps.getFirst().path("seconds").path("total").asDouble());
  }

  @Test
  void namesAStepWhoseLossIsNotANumber() {
    assertThatThrownBy(() -> run("run", "training.precision=fp16", "optimizer.learning_rate=10"))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NUMERICS))
        .hasMessageContaining("Lower optimizer.learning_rate");
  }

  @Test
  void leavesNothingBehind() throws IOException {
    MemoryLedger ledger = MemoryLedger.of(Device.CPU);
    long before = ledger.liveStorages();
    run("run", "parallel.data=2");
    assertThat(ledger.liveStorages()).isEqualTo(before);
  }

  @Test
  void namesAStepWithoutTargets() {
    StepBatch empty = new StepBatch(List.of(), 0, DataState.START, DataState.START);
    assertThatThrownBy(() -> RankTrainer.checkTargets(7, empty))
        .hasMessageContaining("step 7 has no token to learn")
        .message()
        .doesNotContain("learning_rate");
  }

  @Test
  void saysThatTheLastSaveFailed() throws IOException {
    Path runDir = folder.resolve("run");
    Listener listener =
        new Listener() {
          @Override
          public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
            super.step(metrics, totalSteps, remainingSeconds);
            if (metrics.step() == 15) { // the first save was fine; the second one cannot be
              replaceByAFile(RunFolder.checkpoints(runDir), folder.resolve("moved"));
            }
          }
        };
    RunResult result = SmallRun.run(SmallRun.config(folder), runDir, listener);
    assertThat(result.steps()).isEqualTo(20);
    assertThat(result.saveFailed()).isTrue();
    assertThat(result.lastCheckpoint()).hasValue(10);
    assertThat(listener.notices).anyMatch(notice -> notice.contains("no checkpoint of step 20"));
  }

  private static void replaceByAFile(Path place, Path moved) {
    try {
      Files.move(place, moved);
      Files.writeString(place, "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void goesOnFromBeforeDamagedCheckpointsAndKeepsTheLastValidOne() throws IOException {
    Path runDir = folder.resolve("run");
    RunConfig often =
        SmallRun.config(folder, "checkpoint={every_steps: 5, keep: 5}", "validation.every_steps=0");
    SmallRun.run(often, runDir, new Listener(), 15, false);
    for (String step : List.of("step-00000010", "step-00000015")) {
      Path file = RunFolder.checkpoints(runDir).resolve(step).resolve("optimizer.safetensors");
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 4;
      Files.write(file, bytes);
    }
    RunConfig two = SmallRun.config(folder, "checkpoint={every_steps: 1, keep: 2}");
    RunResult result = SmallRun.run(two, runDir, new Listener(), 6, true);
    assertThat(result.lastCheckpoint()).hasValue(6);
    assertThat(new CheckpointStore(runDir).list())
        .extracting(Checkpoint::step)
        .containsExactly(6L, 5L);
    assertThat(RunFolder.checkpoints(runDir).resolve("step-00000015.damaged")).isDirectory();
  }

  @Test
  void aRefusedResumeLeavesTheRunAsItWas() throws IOException {
    Path runDir = folder.resolve("run");
    SmallRun.run(SmallRun.config(folder), runDir, new Listener(), 10, false);
    Path file = runDir.resolve("run.yaml");
    Path metrics = runDir.resolve("metrics.jsonl");
    byte[] before = Files.readAllBytes(file);
    byte[] metricsBefore = Files.readAllBytes(metrics);
    RunConfig wider = SmallRun.config(folder, "model.overrides.num_hidden_layers=2");
    assertThatThrownBy(() -> SmallRun.run(wider, runDir, new Listener(), 0, true))
        .hasMessageContaining("num_hidden_layers");
    Files.writeString(folder.resolve("corpus/document7.txt"), "something else entirely");
    RunConfig same = SmallRun.config(folder);
    assertThatThrownBy(() -> SmallRun.run(same, runDir, new Listener(), 0, true))
        .hasMessageContaining("data.sources is not what it was trained with");
    assertThat(file).hasBinaryContent(before);
    assertThat(metrics).hasBinaryContent(metricsBefore);
  }

  @Test
  void resumingSaysWhatChanged() throws IOException {
    Path runDir = folder.resolve("run");
    SmallRun.run(SmallRun.config(folder), runDir, new Listener(), 10, false);
    Listener listener = new Listener();
    RunConfig faster = SmallRun.config(folder, "optimizer.learning_rate=1e-4");
    SmallRun.run(faster, runDir, listener, 11, true);
    assertThat(listener.notices)
        .contains(
            "changed since the last session: optimizer.learning_rate: 0.003 → 1.0E-4",
            "resuming after step 10");
    assertThat(RunFile.read(runDir.resolve("run.yaml"), List.of())).isEqualTo(faster);
  }

  @Test
  void saysThatThereIsNothingToDo() throws IOException {
    Path runDir = folder.resolve("run");
    RunConfig config = SmallRun.config(folder);
    RunResult first = SmallRun.run(config, runDir, new Listener(), 10, false);
    RunResult again = SmallRun.run(config, runDir, new Listener(), 5, true);
    assertThat(again.end()).isEqualTo(RunResult.End.NOTHING_TO_DO);
    assertThat(again.steps()).isEqualTo(10);
    assertThat(again.endStep()).isEqualTo(5);
    assertThat(again.loss()).isEqualTo(first.loss());
    assertThat(again.validationLoss()).isEqualTo(first.validationLoss());
    assertThat(again.lastCheckpoint()).hasValue(10);
  }

  @Test
  void stopsBeforeTheFirstStep() throws IOException {
    Path runDir = folder.resolve("run");
    Listener early =
        new Listener() {
          @Override
          public void tokenising(TokenisationProgress progress) {
            stopTrainer();
          }
        };
    RunResult result = SmallRun.run(SmallRun.config(folder), runDir, early);
    assertThat(result.interrupted()).isTrue();
    assertThat(early.steps).isEmpty();
    assertThat(result.lastCheckpoint()).isEmpty();
    assertThat(runDir).doesNotExist();
    Listener late =
        new Listener() {
          @Override
          public void started(String description) {
            stopTrainer();
          }
        };
    RunConfig two = SmallRun.config(folder, "parallel.data=2");
    assertThat(SmallRun.run(two, runDir, late).interrupted()).isTrue();
    assertThat(late.steps).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"parallel.data=1", "parallel.data=2", "parallel.pipeline=2"})
  void aStepCountsFromTheEndOfTheOneBefore(String mesh) throws IOException {
    Listener slow =
        new Listener() {
          @Override
          public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
            super.step(metrics, totalSteps, remainingSeconds);
            LockSupport.parkNanos(50_000_000);
          }
        };
    long start = System.nanoTime();
    RunResult result =
        SmallRun.run(
            SmallRun.config(folder, "training.steps=3", "schedule.warmup_steps=1", mesh),
            folder.resolve("run"),
            slow);
    double wall = (System.nanoTime() - start) * 1e-9;
    assertThat(slow.steps).extracting(StepMetrics::step).containsExactly(1L, 2L, 3L);
    assertThat(slow.steps.subList(1, 3))
        .allSatisfy(step -> assertThat(step.seconds().total()).isGreaterThan(0.05));
    assertThat(slow.steps)
        .allSatisfy(
            step ->
                assertThat(step.tokensPerSecond() * step.seconds().total())
                    .as("tokens of a step of all ranks")
                    .isCloseTo(512, within(1e-6)));
    assertThat(slow.steps.stream().mapToDouble(step -> step.seconds().total()).sum())
        .as("no time counts twice")
        .isLessThan(wall);
    assertThat(result.speed().tokensPerSecond()).isLessThan(512 / 0.05);
    assertThat(result.speed().overall()).isLessThan(512 / 0.05);
  }

  @Test
  void suggestsAPromptOfTheData() throws IOException {
    Listener listener = new Listener();
    RunResult result =
        SmallRun.run(SmallRun.config(folder), folder.resolve("run"), listener, 1, false);
    assertThat(result.prompt()).startsWith("value").hasSizeLessThan(41);
    RunConfig sample = SmallRun.config(folder, "generate_sample.prompt=my own");
    assertThat(SmallRun.run(sample, folder.resolve("own"), listener, 1, false).prompt())
        .isEqualTo("my own");
  }

  @Test
  void refusesWhatCannotWork() throws IOException {
    assertRefused("2048", "data.sequence_length=2048", "training.tokens_per_step=4096");
    assertRefused("vocab", "model.overrides={vocab_size: 256, bos_token_id: 1, eos_token_id: 2}");
    assertRefused("Did you mean 'num_hidden_layers'", "model.overrides={num_hiden_layers: 2}");
    assertRefused("no_such_folder", "data.sources=[no_such_folder]");
    assertThat(folder.resolve("refused")).doesNotExist();
    run("run", "training.steps=1", "schedule.warmup_steps=0");
    assertThatThrownBy(() -> run("run")).hasMessageContaining("--resume");
    assertThatThrownBy(
            () ->
                SmallRun.run(
                    SmallRun.config(folder), folder.resolve("new"), new Listener(), 0, true))
        .hasMessageContaining("nothing to resume");
  }

  private void assertRefused(String message, String... overrides) {
    assertThatThrownBy(() -> run("refused", overrides))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(message);
  }

  private static List<JsonNode> metrics(Path runDir) throws IOException {
    return Files.readAllLines(runDir.resolve("metrics.jsonl")).stream()
        .map(line -> Json.parse(line.getBytes(StandardCharsets.UTF_8), "metrics", ErrorCode.FORMAT))
        .toList();
  }

  /** Close to 1e-5 at first; later steps see the first steps' rounding through the optimizer. */
  private static void assertCloseSeries(List<Double> actual, List<Double> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      double tolerance = i < 5 ? 1e-5 : 1e-3;
      assertThat(actual.get(i))
          .as("loss of step " + (i + 1))
          .isCloseTo(expected.get(i), within(tolerance * expected.get(i)));
    }
  }
}
