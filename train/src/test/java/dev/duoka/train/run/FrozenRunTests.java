package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs of which some weights are frozen. */
class FrozenRunTests {
  private static final String FREEZE = "training.freeze=[embed_tokens, 'layers[0:2]', mlp.experts]";

  @TempDir private static Path folder;

  private static Path straight;

  private static RunConfig config(String... overrides) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                FREEZE,
                "training.precision=bf16",
                "training.tokens_per_step=128",
                "training.micro_batch=2",
                "training.steps=4",
                "schedule.warmup_steps=0",
                "checkpoint.every_steps=2",
                "validation.every_steps=0"));
    all.addAll(List.of(overrides));
    return SmallRun.config(folder, all.toArray(String[]::new));
  }

  @BeforeAll
  static void train() throws IOException {
    straight = folder.resolve("straight");
    SmallRun.run(config(), straight, new SmallRun.Listener());
  }

  private static Path checkpoint(Path run, int step) {
    return run.resolve("checkpoints/step-0000000" + step);
  }

  private static Map<String, double[]> tensors(Path folder, String file) {
    Map<String, double[]> tensors = new TreeMap<>();
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder, file);
        Scope _ = Scope.open()) {
      for (TensorEntry entry : opened.tensors()) {
        tensors.put(
            entry.name() + " " + entry.dtype(),
            HostCopy.doubles(StoredTensors.read(opened, entry)));
      }
    }
    return tensors;
  }

  private static boolean isFrozen(String name) {
    return name.contains("embed_tokens")
        || name.contains("layers.0.")
        || name.contains("layers.1.")
        || name.contains(".experts.");
  }

  /** Frozen weights in the precision of the run, and the same after each step. */
  @Test
  void checkpointsHoldFrozenWeightsOnce() throws IOException {
    Map<String, double[]> before = tensors(checkpoint(straight, 2), "model.safetensors");
    Map<String, double[]> after = tensors(checkpoint(straight, 4), "model.safetensors");
    assertThat(after.keySet()).isEqualTo(before.keySet());
    assertThat(after.keySet()).filteredOn(FrozenRunTests::isFrozen).hasSizeGreaterThan(20);
    after.forEach(
        (name, values) -> {
          boolean bias = name.contains("e_score_correction_bias");
          assertThat(name).endsWith(isFrozen(name) && !bias ? "BF16" : "F32");
          assertThat(Arrays.equals(values, before.get(name))).as(name).isEqualTo(isFrozen(name));
        });
    assertThat(tensors(checkpoint(straight, 4), "optimizer.safetensors").keySet())
        .isNotEmpty()
        .noneMatch(FrozenRunTests::isFrozen);
    assertThat(Files.readString(straight.resolve("run.log")))
        .containsPattern("[0-9,]+ of [0-9,]+ weights are trained .*, the rest are frozen");
  }

  /** With rates and noise, which are where they would have been. */
  @ParameterizedTest
  @CsvSource({"'parallel={data: 1}'", "'parallel={data: 2, zero: 3}'"})
  void resumedIsAsIfItHadNotStopped(String parallel) throws IOException {
    Path whole = folder.resolve("whole " + parallel.hashCode());
    Path parts = folder.resolve("parts " + parallel.hashCode());
    RunConfig config =
        config(parallel, "optimizer.rates={lm_head: 0.5}", "training.embedding_noise=5");
    SmallRun.run(config, whole, new SmallRun.Listener());
    SmallRun.run(config, parts, new SmallRun.Listener(), 2, false);
    SmallRun.run(config, parts, new SmallRun.Listener(), 0, true);
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      assertThat(checkpoint(parts, 4).resolve(file))
          .hasSameBinaryContentAs(checkpoint(whole, 4).resolve(file));
    }
  }

  @Test
  void anotherChoiceIsRefusedWhenItGoesOn() throws IOException {
    Path run = folder.resolve("other");
    SmallRun.run(config(), run, new SmallRun.Listener(), 2, false);
    assertThatThrownBy(
            () ->
                SmallRun.run(
                    config("training.freeze=[embed_tokens]"),
                    run,
                    new SmallRun.Listener(),
                    0,
                    true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was frozen there, and this run trains it");
    assertThatThrownBy(
            () ->
                SmallRun.run(
                    config("training.freeze=[embed_tokens, layers, lm_head]"),
                    run,
                    new SmallRun.Listener(),
                    0,
                    true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was trained there, and this run freezes it");
  }

  @Test
  void exportedIsAWholeModel() {
    Path out = folder.resolve("exported");
    HuggingFaceExport.export(straight, out, WeightFormat.FP32, _ -> {});
    Map<String, double[]> stored = tensors(checkpoint(straight, 4), "model.safetensors");
    Map<String, double[]> exported = tensors(out, "model.safetensors");
    assertThat(exported.keySet()).anyMatch(FrozenRunTests::isFrozen);
    exported.forEach(
        (name, values) -> {
          String plain = name.substring(0, name.indexOf(' '));
          double[] wanted = stored.getOrDefault(plain + " F32", stored.get(plain + " BF16"));
          assertThat(Arrays.equals(values, wanted)).as(name).isTrue();
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "training.freeze=[embed_tokns] | embed_tokns' fits no weight of the model. Did you mean"
            + " 'embed_tokens'?",
        "training.freeze=['layers[7:9]'] | layers[7:9]' fits no weight of the model",
        "training.freeze=['experts[0:2]'] | experts[0:2] means only some of",
        "training.freeze=[model, lm_head] | all weights of the model are frozen",
        "training.freeze=['layers[2:2]'] | layers[2:2]' has a range without a number in it",
        "optimizer.rates={lm_heads: 2} | lm_heads' fits no weight that is trained. Did you mean",
        "optimizer.rates={embed_tokens: 2} | embed_tokens' fits no weight that is trained",
        "optimizer.rates={gate_proj: 2} | gate_proj means only some of",
        "training.freeze=['layers[-1]'] | layers[-1]' is no name",
      })
  void whatCannotBeMeantIsSaid(String field, String message) {
    assertThatThrownBy(
            () -> {
              RunConfig config = config(field);
              SmallRun.run(config, folder.resolve("none"), new SmallRun.Listener());
            })
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void besideAnAdapterNothingElseIsNamed() {
    assertThatThrownBy(() -> config("adapter={rank: 4}"))
        .hasMessageContaining(
            "training.freeze names weights, but beside an adapter all are frozen");
  }
}
