package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
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
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters beside what Qwen2 and Qwen3 have more than Llama: biases, tied embeddings, norms. */
class DenseAdapterRunTests {
  /** Drawn, so that small changes of the model change the text. */
  private static final Sampling DRAWN = new Sampling(1, 0, 1, 5, 24);

  /** Queries, keys and values are one weight here, and some of it has no adapter. */
  private static final String SOME =
      "adapter={rank: 3, dropout: 0.1, modules_matching: '.*(q_proj|v_proj|down_proj)',"
          + " rank_pattern: {v_proj: 2}}";

  private static final String ALL = "adapter={rank: 2, dora: true}";

  @TempDir static Path folder;

  private static String architecture(String name) {
    return "{model_type: "
        + name
        + ", hidden_size: 64, intermediate_size: 96, head_dim: "
        + (name.equals("qwen3") ? 24 : 16)
        + ", num_hidden_layers: 2, tie_word_embeddings: "
        + name.equals("qwen2")
        + "}";
  }

  private static Path base(String name) throws IOException {
    Path base = folder.resolve("base-" + name);
    if (!Files.exists(base)) {
      RunConfig config =
          SmallRun.wide(
              folder,
              "model={preset: tiny-llama, overrides: " + architecture(name) + "}",
              "training.steps=2",
              "schedule.warmup_steps=0");
      SmallRun.run(config, folder.resolve("of-base-" + name), new SmallRun.Listener());
      HuggingFaceExport.export(folder.resolve("of-base-" + name), base, WeightFormat.FP32, _ -> {});
    }
    return base;
  }

  private static RunConfig config(String name, String adapter, String... overrides)
      throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model={path: " + base(name) + ", load_weights: true}",
                adapter,
                "training.steps=4",
                "schedule.warmup_steps=0",
                "optimizer.learning_rate=2e-2",
                "validation.every_steps=2",
                "checkpoint.every_steps=2"));
    all.addAll(List.of(overrides));
    return SmallRun.wide(folder, all.toArray(String[]::new));
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

  private static String text(Path model) {
    try (Generator generator = Generator.open(model, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      return generator.generate("value1 = ", DRAWN, _ -> {}).text();
    }
  }

  @ParameterizedTest
  @CsvSource({"qwen2, false", "qwen2, true", "qwen3, false", "qwen3, true"})
  void trainedResumedAndExportedAsOthersAre(String name, boolean all) throws IOException {
    String adapter = all ? ALL : SOME;
    String about = name + (all ? "-all" : "-some");
    Path run = folder.resolve(about);
    SmallRun.run(config(name, adapter), run, new SmallRun.Listener());
    Map<String, double[]> weights =
        tensors(run.resolve("checkpoints/step-00000004"), "model.safetensors");
    assertThat(weights.keySet()).allMatch(tensor -> tensor.contains(".lora_"));
    assertThat(weights.containsKey("model.layers.1.self_attn.k_proj.lora_A.weight")).isEqualTo(all);

    Path onMesh = folder.resolve(about + "-mesh");
    SmallRun.run(config(name, adapter), onMesh, new SmallRun.Listener(), 2, false);
    RunConfig mesh =
        config(name, adapter, "parallel={data: 2, tensor: 2, zero: 3}", "training.recompute=full");
    SmallRun.run(mesh, onMesh, new SmallRun.Listener(), 0, true);
    Map<String, double[]> spread =
        tensors(onMesh.resolve("checkpoints/step-00000004"), "model.safetensors");
    assertThat(spread.keySet()).isEqualTo(weights.keySet());
    weights.forEach(
        (tensor, values) ->
            assertThat(distance(values, Objects.requireNonNull(spread.get(tensor))))
                .as(tensor)
                .isLessThan(1e-3));

    Path merged = folder.resolve(about + "-merged");
    HuggingFaceExport.export(run, merged, WeightFormat.FP32, _ -> {});
    assertMerged(name, all, tensors(merged, "model.safetensors"));
    Path alone = folder.resolve(about + "-alone");
    HuggingFaceExport.exportAdapter(run, alone, WeightFormat.FP32, _ -> {});
    assertThat(tensors(alone, AdapterFile.FILE_NAME).keySet())
        .allMatch(tensor -> tensor.startsWith("base_model.model.model.layers."))
        .contains("base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight");

    String expected = text(run);
    assertThat(text(base(name))).as("the adapter has an effect").isNotEqualTo(expected);
    assertThat(text(merged)).isEqualTo(expected);
    assertThat(text(alone)).isEqualTo(expected);
    ParallelSettings two = MeshOption.parse("tensor=2");
    assertThat(
            new MeshGenerator(
                    run,
                    two,
                    DevicePlacement.choose(DeviceChoice.parse("cpu"), two.mesh()),
                    _ -> {})
                .generate("value1 = ", DRAWN, _ -> {})
                .text())
        .isEqualTo(expected);
  }

  /** Under the base's names, and nothing else is changed but what has an adapter. */
  private static void assertMerged(String name, boolean all, Map<String, double[]> merged)
      throws IOException {
    Map<String, double[]> before = tensors(base(name), "model.safetensors");
    assertThat(merged.keySet()).isEqualTo(before.keySet());
    boolean qwen2 = name.equals("qwen2");
    assertThat(merged.containsKey("lm_head.weight")).isEqualTo(!qwen2);
    assertThat(merged.containsKey("model.layers.1.self_attn.q_proj.bias")).isEqualTo(qwen2);
    assertThat(merged.containsKey("model.layers.1.self_attn.k_norm.weight")).isEqualTo(!qwen2);
    List<String> adapted =
        all
            ? List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
            : List.of("q_proj", "v_proj", "down_proj");
    merged.forEach(
        (tensor, values) ->
            assertThat(Arrays.equals(values, before.get(tensor)))
                .as(tensor)
                .isEqualTo(adapted.stream().noneMatch(it -> tensor.endsWith(it + ".weight"))));
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
}
