package dev.duoka.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.loop.SmallRun.Listener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class TrainerTests {
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
    List<Double> whole = run("whole", "training.micro_batch=16").losses();
    List<Double> halves = run("halves", "training.micro_batch=8").losses();
    List<Double> quarters = run("quarters", "training.micro_batch=4").losses();
    assertCloseSeries(halves, whole);
    assertCloseSeries(quarters, whole);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void ranksDoNotChangeTheStep(int zero) throws IOException {
    List<Double> alone = run("alone").losses();
    List<Double> together = run("together", "parallel.data=2", "parallel.zero=" + zero).losses();
    assertCloseSeries(together, alone);
  }

  @ParameterizedTest
  @ValueSource(strings = {"selective", "full"})
  void recomputeDoesNotChangeTheStep(String recompute) throws IOException {
    assertCloseSeries(
        run("again", "training.recompute=" + recompute).losses(), run("kept").losses());
  }

  @Test
  void resumesExactly() throws IOException {
    Listener straight = run("straight", "parallel.data=2");
    RunConfig config = SmallRun.config(folder, "parallel.data=2");
    Path runDir = folder.resolve("parts");
    SmallRun.run(config, runDir, new Listener(), 10, false);
    Listener second = new Listener();
    RunResult result = SmallRun.run(config, runDir, second, 0, true);
    assertThat(result.steps()).isEqualTo(20);
    assertThat(second.losses()).isEqualTo(straight.losses().subList(10, 20));
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      Path place = Path.of("checkpoints", "step-00000020", file);
      assertThat(runDir.resolve(place))
          .hasSameBinaryContentAs(folder.resolve("straight").resolve(place));
    }
    assertThat(metrics(runDir).stream().filter(line -> line.has("loss"))).hasSize(20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "fp16"})
  void lowPrecisionFollowsFp32(String precision) throws IOException {
    List<Double> exact = run("fp32").losses();
    List<Double> low = run("low", "training.precision=" + precision).losses();
    assertThat(low.getLast()).isCloseTo(exact.getLast(), within(0.15));
  }

  @Test
  void stopsWhenAskedAndSaves() throws IOException {
    Listener listener =
        new Listener() {
          @Override
          public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
            super.step(metrics, totalSteps, remainingSeconds);
            if (metrics.step() == 3 && trainer != null) {
              trainer.stop();
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
    assertThat(lines.stream().filter(line -> line.has("validation_loss"))).hasSize(2);
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
  void refusesWhatCannotWork() throws IOException {
    assertRefused("2048", "data.sequence_length=2048", "training.tokens_per_step=4096");
    assertRefused("vocab", "model.overrides={vocab_size: 256, bos_token_id: 1, eos_token_id: 2}");
    assertRefused("Did you mean 'num_hidden_layers'", "model.overrides={num_hiden_layers: 2}");
    assertRefused("no_such_folder", "data.sources=[no_such_folder]");
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
