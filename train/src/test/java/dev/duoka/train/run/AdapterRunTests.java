package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.export.ExportSource;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that train an adapter of a base, from the run file to what other programs load. */
class AdapterRunTests {
  private static final Sampling GREEDY = new Sampling(0, 0, 1, 1, 12);

  private static final String ATTENTION =
      "adapter={rank: 4, dropout: 0.1, dora: true, modules: [q_b_proj, kv_b_proj, o_proj,"
          + " down_proj], train_whole: [lm_head]}";

  private static final String HEAD = "base_model.model.lm_head.lora_B.weight";

  private static final String EXPERTS =
      "adapter={rank: 3, rslora: true, modules: [q_a_proj, o_proj, lm_head], experts:"
          + " [gate_up_proj, down_proj], rank_pattern: {'.*gate_up_proj': 4}}";

  @TempDir static Path folder;

  private static Path base = Path.of(".");

  @BeforeAll
  static void trainABase() throws IOException {
    SmallRun.run(
        SmallRun.config(
            folder, "training.steps=2", "schedule.warmup_steps=0", "model.mtp_weight=0"),
        folder.resolve("of-base"),
        new SmallRun.Listener());
    base = folder.resolve("base");
    HuggingFaceExport.export(folder.resolve("of-base"), base, WeightFormat.FP32, _ -> {});
  }

  private static RunConfig config(String adapter, String... overrides) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model={path: " + base + ", load_weights: true}",
                adapter,
                "training.steps=6",
                "schedule.warmup_steps=0",
                "validation.every_steps=3",
                "checkpoint.every_steps=3"));
    all.addAll(List.of(overrides));
    return SmallRun.wide(folder, all.toArray(String[]::new));
  }

  private static Path run(String name, RunConfig config) {
    Path run = folder.resolve(name);
    if (!Files.exists(run)) {
      SmallRun.run(config, run, new SmallRun.Listener());
    }
    return run;
  }

  private static Map<String, double[]> tensors(Path folder, String file) {
    Map<String, double[]> tensors = new TreeMap<>();
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder, file);
        Scope _ = Scope.open()) {
      for (TensorEntry entry : opened.tensors()) {
        tensors.put(entry.name(), HostCopy.doubles(StoredTensors.read(opened, entry)));
      }
    }
    return tensors;
  }

  private static Path checkpoint(Path run) {
    return run.resolve("checkpoints/step-00000006");
  }

  @Test
  void aCheckpointHoldsTheAdapterAloneAndNamesItsBase() throws IOException {
    Path run = run("attention", config(ATTENTION));
    Map<String, double[]> weights = tensors(checkpoint(run), "model.safetensors");
    assertThat(weights.keySet())
        .allMatch(name -> name.contains(".lora_") || name.equals("lm_head.weight"))
        .contains("model.layers.0.self_attn.o_proj.lora_A.weight", "lm_head.weight");
    assertThat(weights.get("model.layers.0.self_attn.o_proj.lora_B.weight"))
        .as("it was trained")
        .satisfies(values -> assertThat(Arrays.stream(values).anyMatch(it -> it != 0)).isTrue());
    assertThat(Files.readString(checkpoint(run).resolve("state.json"))).contains("base_weights");
    assertThat(AdapterConfigFile.read(checkpoint(run)).base())
        .contains(base.toAbsolutePath().toString());
    assertThat(Files.readString(run.resolve("run.log")))
        .contains(
            "adapter on q_b_proj, kv_b_proj, o_proj in all 4 layers (rank 4, scale 2.0,"
                + " magnitudes): 12 modules, ")
        .contains("trained whole: lm_head: ")
        .contains("trained are ");
  }

  /** Dropout, too, is where it would have been. */
  @ParameterizedTest
  @ValueSource(strings = {ATTENTION, EXPERTS})
  void resumedIsAsIfItHadNotStopped(String adapter) throws IOException {
    boolean attention = adapter.equals(ATTENTION);
    Path whole = run(attention ? "attention" : "experts", config(adapter));
    Path parts = folder.resolve(attention ? "attention in parts" : "experts in parts");
    SmallRun.run(config(adapter), parts, new SmallRun.Listener(), 3, false);
    SmallRun.run(config(adapter), parts, new SmallRun.Listener(), 0, true);
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      Map<String, double[]> expected = tensors(checkpoint(whole), file);
      Map<String, double[]> actual = tensors(checkpoint(parts), file);
      assertThat(actual.keySet()).isEqualTo(expected.keySet());
      expected.forEach(
          (name, values) -> assertThat(Arrays.equals(values, actual.get(name))).as(name).isTrue());
    }
  }

  @Test
  void aMeshGoesOnFromOneRank() throws IOException {
    Path whole = run("attention", config(ATTENTION));
    Path parts = folder.resolve("attention on a mesh");
    SmallRun.run(config(ATTENTION), parts, new SmallRun.Listener(), 3, false);
    RunConfig mesh =
        config(ATTENTION, "parallel={data: 2, tensor: 2, zero: 3}", "training.recompute=full");
    SmallRun.run(mesh, parts, new SmallRun.Listener(), 0, true);
    Map<String, double[]> actual = tensors(checkpoint(parts), "model.safetensors");
    tensors(checkpoint(whole), "model.safetensors")
        .forEach(
            (name, values) ->
                assertThat(distance(values, Objects.requireNonNull(actual.get(name))))
                    .as(name)
                    .isLessThan(1e-3));
  }

  private static double distance(double[] expected, double[] actual) {
    double off = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      off += (expected[i] - actual[i]) * (expected[i] - actual[i]);
      size += expected[i] * expected[i];
    }
    return Math.sqrt(off / size);
  }

  /** Rows of such a rank are no whole packs of 16 bytes, of experts neither. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 12, 16})
  void anyRankTrainsInSixteenBits(int rank) throws IOException {
    String adapter =
        "adapter={rank: %d, modules: [q_a_proj, kv_a_proj_with_mqa, o_proj], experts:"
            + " [gate_up_proj, down_proj]}";
    List<Double> first = new ArrayList<>();
    for (String mesh : List.of("{data: 1}", "{data: 2, tensor: 2, expert: 2, zero: 3}")) {
      for (String precision : List.of("fp32", "bf16")) {
        SmallRun.Listener listener = new SmallRun.Listener();
        Path run = folder.resolve("rank-" + rank + "-" + precision + mesh.length());
        SmallRun.run(
            config(
                adapter.formatted(rank),
                "training.steps=2",
                "training.precision=" + precision,
                "parallel=" + mesh),
            run,
            listener);
        assertThat(Files.readString(run.resolve("run.log")).contains("computed expert by expert"))
            .isEqualTo(rank % 8 != 0);
        if (first.isEmpty()) {
          first.addAll(listener.losses());
        }
        assertThat(listener.losses()).hasSize(2);
        for (int step = 0; step < 2; step++) {
          assertThat(listener.losses().get(step))
              .as("%s %s, step %d", precision, mesh, step)
              .isCloseTo(first.get(step), withinPercentage(1));
        }
      }
    }
  }

  @Test
  void anotherBaseIsRefused() throws IOException {
    Path run = folder.resolve("moved");
    SmallRun.run(config(EXPERTS), run, new SmallRun.Listener(), 3, false);
    Path other = folder.resolve("other");
    HuggingFaceExport.export(folder.resolve("of-base"), other, WeightFormat.BF16, _ -> {});
    RunConfig onOther = config(EXPERTS, "model.path=" + other);
    assertThatThrownBy(() -> SmallRun.run(onOther, run, new SmallRun.Listener(), 0, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("its adapter was trained on other weights");
    RunConfig otherAdapter = config(ATTENTION);
    assertThatThrownBy(() -> SmallRun.run(otherAdapter, run, new SmallRun.Listener(), 0, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot go on from " + run.resolve("checkpoints"))
        .hasMessageContaining("adapter.rank 3 in the checkpoint, 4 in the run file; ")
        .hasMessageContaining("adapter.rslora true in the checkpoint, false in the run file; ")
        .hasMessageContaining("adapter.train_whole not set in the checkpoint, [lm_head] in the")
        .hasMessageContaining("Set them as the checkpoint has them, or start a new run")
        .hasMessageNotContaining("double_quantization");
    RunConfig without =
        SmallRun.wide(folder, "model={path: " + base + ", load_weights: true}", "training.steps=6");
    assertThatThrownBy(() -> SmallRun.run(without, run, new SmallRun.Listener(), 0, true))
        .hasMessageContaining("was trained with an adapter, and the run file has no section");
  }

  @ParameterizedTest
  @ValueSource(strings = {ATTENTION, EXPERTS})
  void mergedOrBesideItsBaseItWritesTheSame(String adapter) throws IOException {
    String name = adapter.equals(ATTENTION) ? "attention" : "experts";
    Path run = run(name, config(adapter));
    Path merged = folder.resolve("merged " + name);
    HuggingFaceExport.export(run, merged, WeightFormat.FP32, _ -> {});
    Path alone = folder.resolve("alone " + name);
    HuggingFaceExport.exportAdapter(run, alone, WeightFormat.FP32, _ -> {});
    assertThat(tensors(alone, AdapterFile.FILE_NAME).keySet())
        .allMatch(tensor -> tensor.startsWith("base_model.model."))
        .anyMatch(
            tensor ->
                tensor.endsWith(
                    name.equals("experts")
                        ? "mlp.experts.base_layer.lora_B.weight"
                        : "o_proj.lora_magnitude_vector"));
    assertThat(tensors(alone, AdapterFile.FILE_NAME).containsKey(HEAD))
        .isEqualTo(name.equals("experts"));
    String expected = text(run);
    assertThat(text(merged)).isEqualTo(expected);
    assertThat(text(alone)).isEqualTo(expected);
    assertThat(text(base)).as("the adapter has an effect").isNotEqualTo(expected);
    StringBuilder onMesh = new StringBuilder();
    ParallelSettings mesh = MeshOption.parse("tensor=2");
    new MeshGenerator(
            run, mesh, DevicePlacement.choose(DeviceChoice.parse("cpu"), mesh.mesh()), _ -> {})
        .generate("value1 = ", GREEDY, onMesh::append);
    assertThat(onMesh.toString()).isEqualTo(expected);
  }

  @Test
  void switchedOffItWritesWhatItsBaseWrites() throws IOException {
    Path run = run("experts", config(EXPERTS));
    try (Generator generator = Generator.open(run, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      assertThat(generator.hasAdapter()).isTrue();
      generator.setAdapted(false);
      assertThat(generator.generate("value1 = ", GREEDY, _ -> {}).text()).isEqualTo(text(base));
      generator.setAdapted(true);
      assertThat(generator.generate("value1 = ", GREEDY, _ -> {}).text()).isEqualTo(text(run));
    }
  }

  private static String text(Path model) {
    StringBuilder text = new StringBuilder();
    try (Generator generator = Generator.open(model, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      generator.generate("value1 = ", GREEDY, text::append);
    }
    return text.toString();
  }

  @Test
  void anAdapterInPeftsFormIsGoneOnFrom() throws IOException {
    Path run = run("experts", config(EXPERTS));
    Path alone = folder.resolve("to go on from");
    HuggingFaceExport.exportAdapter(run, alone, WeightFormat.FP32, _ -> {});
    SmallRun.Listener listener = new SmallRun.Listener();
    RunConfig further =
        config(
            "adapter={path: " + alone + "}",
            "training.steps=1",
            "optimizer={learning_rate: 1e-10, weight_decay: 0}");
    Path second = folder.resolve("gone on");
    SmallRun.run(further, second, listener);
    Map<String, double[]> before = tensors(checkpoint(run), "model.safetensors");
    Map<String, double[]> after =
        tensors(second.resolve("checkpoints/step-00000001"), "model.safetensors");
    before.forEach(
        (name, values) ->
            assertThat(distance(values, Objects.requireNonNull(after.get(name))))
                .as(name)
                .isLessThan(1e-5));
  }

  /** By the metadata of its file, which other programs do not look at. */
  @Test
  void anExportedAdapterKnowsItsBase() throws IOException {
    Path run = run("experts", config(EXPERTS));
    Path alone = folder.resolve("that knows");
    HuggingFaceExport.exportAdapter(run, alone, WeightFormat.FP32, _ -> {});
    StoredModel.requireBase(alone, base);
    Path rounded = folder.resolve("rounded base");
    HuggingFaceExport.export(folder.resolve("of-base"), rounded, WeightFormat.BF16, _ -> {});
    assertThatThrownBy(() -> StoredModel.requireBase(alone, rounded))
        .hasMessageContaining("was trained on other weights than those of " + rounded);
    RunConfig further = config("adapter={path: " + alone + "}", "model.path=" + rounded);
    Path refused = folder.resolve("refused");
    assertThatThrownBy(() -> SmallRun.run(further, refused, new SmallRun.Listener()))
        .hasMessageContaining("was trained on other weights than those of " + rounded);
  }

  @Test
  void aBaseThatHasMovedIsNamed() throws IOException {
    Path first = folder.resolve("first place");
    HuggingFaceExport.export(folder.resolve("of-base"), first, WeightFormat.FP32, _ -> {});
    Path run = folder.resolve("of a base that moves");
    SmallRun.run(config(ATTENTION, "model.path=" + first), run, new SmallRun.Listener());
    Path second = Files.move(first, folder.resolve("second place"));
    Path target = folder.resolve("moved merged");
    assertThatThrownBy(() -> HuggingFaceExport.export(run, target, WeightFormat.FP32, _ -> {}))
        .hasMessageContaining("is no folder here")
        .hasMessageContaining("export --base BASE");
    ExportSource there = new ExportSource(run, Optional.of(second));
    HuggingFaceExport.export(there, target, WeightFormat.FP32, _ -> {}, Progress.NONE);
    assertThat(text(target)).isEqualTo(text(run("attention", config(ATTENTION))));
    Path alone = folder.resolve("moved alone");
    HuggingFaceExport.exportAdapter(there, alone, WeightFormat.FP32, _ -> {});
    assertThat(text(alone)).isEqualTo(text(target));
    ExportSource none = new ExportSource(folder.resolve("of-base"), Optional.of(second));
    Path never = folder.resolve("never exported");
    assertThatThrownBy(
            () -> HuggingFaceExport.exportAdapter(none, never, WeightFormat.FP32, _ -> {}))
        .hasMessageContaining("it is no adapter");
  }

  @Test
  void saysWhatContradicts() throws IOException {
    assertThatThrownBy(() -> config("adapter={rank: 4}", "memory.offload=optimizer", "device=auto"))
        .hasMessageContaining("an adapter's states are small");
    assertThatThrownBy(() -> config("adapter={path: x, rank: 4}"))
        .hasMessageContaining("adapter.rank is said by the adapter_config.json of adapter.path");
    assertThatThrownBy(
            () ->
                SmallRun.run(
                    config("adapter={modules: [q_porj]}"),
                    folder.resolve("never"),
                    new SmallRun.Listener()))
        .hasMessageContaining("'q_porj' of adapter.modules fits no linear layer");
    assertThat(RunChecks.problems(config("adapter={modules: [o_proj, q_porj]}")))
        .singleElement()
        .asString()
        .contains("adapter", "'q_porj' of adapter.modules fits no linear layer");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rank_pattern: {q_proj: -2} | adapter.rank_pattern says -2 for 'q_proj', which is no whole",
        "rank_pattern: {q_proj: 65537} | no whole number from 1 to 65536",
        "rank_pattern: {q_proj: 2.5} | no whole number from 1 to 65536",
        "rank_pattern: {q_proj: many} | adapter.rank_pattern says many for",
        "alpha_pattern: {q_proj: 0} | adapter.alpha_pattern says 0 for 'q_proj', which is no"
            + " number",
        "alpha_pattern: {q_proj: -1.5} | no number above 0",
        "alpha_pattern: {q_proj: .inf} | no number above 0",
      })
  void patternsHaveTheLimitsOfTheirFields(String field, String problem) throws IOException {
    assertThat(RunChecks.problems(config("adapter={" + field + "}")))
        .singleElement()
        .asString()
        .contains(problem);
    assertThat(
            RunChecks.problems(
                config("adapter={rank_pattern: {o_proj: 65536}, alpha_pattern: {o_proj: 0.5}}")))
        .isEmpty();
  }
}
