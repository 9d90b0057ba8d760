package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.Sampling;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Models in DeepSeek-V3's published FP8 form, against the same numbers in fp32. */
class BlockScaledRunTests {
  private static final String ADAPTER =
      "adapter={rank: 2, modules: [q_b_proj, o_proj], experts: [gate_up_proj, down_proj]}";

  @TempDir static Path folder;

  private static Path scaled = Path.of(".");
  private static Path meant = Path.of(".");

  @BeforeAll
  static void quantize() throws IOException {
    SmallRun.run(
        SmallRun.wide(folder, "training.steps=1", "schedule.warmup_steps=0"),
        folder.resolve("of-base"),
        new SmallRun.Listener());
    Path base = folder.resolve("base");
    HuggingFaceExport.export(folder.resolve("of-base"), base, WeightFormat.FP32, _ -> {});
    scaled = folder.resolve("scaled");
    meant = folder.resolve("meant");
    BlockScaledFolder.write(base, scaled, meant);
  }

  private static RunConfig config(Path model, String... overrides) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model={path: " + model + ", load_weights: true}",
                "training.steps=1",
                "schedule.warmup_steps=0",
                "validation.every_steps=1"));
    all.addAll(List.of(overrides));
    return SmallRun.wide(folder, all.toArray(String[]::new));
  }

  private static Map<String, double[]> tensors(Path folder) {
    Map<String, double[]> tensors = new TreeMap<>();
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      for (TensorEntry entry : opened.tensors()) {
        tensors.put(entry.name(), HostCopy.doubles(StoredTensors.read(opened, entry)));
      }
    }
    return tensors;
  }

  private static void assertSame(Map<String, double[]> actual, Map<String, double[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, values) -> assertThat(Arrays.equals(values, actual.get(name))).as(name).isTrue());
  }

  /** Whatever part of it a rank holds: the first loss, and all weights after a step. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{data: 1}",
        "{data: 2, tensor: 2, zero: 3}",
        "{data: 2, expert: 2, pipeline: 2, zero: 1}"
      })
  void aRunStartsFromTheirNumbers(String mesh) throws IOException {
    List<Map<String, double[]>> ends = new ArrayList<>();
    List<List<Double>> losses = new ArrayList<>();
    for (Path model : List.of(scaled, meant)) {
      SmallRun.Listener listener = new SmallRun.Listener();
      Path run = folder.resolve(model.getFileName() + mesh.replaceAll("\\W+", "-"));
      SmallRun.run(config(model, "parallel=" + mesh), run, listener);
      ends.add(tensors(run.resolve("checkpoints/step-00000001")));
      losses.add(listener.losses());
      assertThat(listener.notices.stream().filter(it -> it.contains("FP8 with a scale")).toList())
          .hasSize(model.equals(scaled) ? 1 : 0)
          .allMatch(notice -> notice.contains(scaled.toString()) && notice.contains("128 × 128"));
      assertThat(listener.notices).noneMatch(notice -> notice.contains("are not used"));
    }
    assertThat(losses.getFirst()).isEqualTo(losses.getLast());
    assertSame(ends.getFirst(), ends.getLast());
  }

  @Test
  void exportedTheyAreNumbersOfSixteenBits() throws IOException {
    try (SafetensorsFolder opened = SafetensorsFolder.open(scaled)) {
      assertThat(opened.tensors()).anyMatch(entry -> entry.dtype() == StoredDtype.F8_E4M3);
    }
    Path plain = folder.resolve("plain");
    HuggingFaceExport.export(scaled, plain, WeightFormat.FP32, _ -> {});
    assertSame(tensors(plain), tensors(meant));
    Path rounded = folder.resolve("rounded");
    Path expected = folder.resolve("expected");
    HuggingFaceExport.export(scaled, rounded, WeightFormat.BF16, _ -> {});
    HuggingFaceExport.export(meant, expected, WeightFormat.BF16, _ -> {});
    assertSame(tensors(rounded), tensors(expected));
    assertThat(Json.parse(rounded.resolve("config.json"), ErrorCode.CONFIG))
        .isEqualTo(Json.parse(expected.resolve("config.json"), ErrorCode.CONFIG));
    assertThat(Files.readString(rounded.resolve("config.json"))).doesNotContain("quantization");
  }

  @Test
  void anAdapterIsTrainedBesideThemAndMergedIntoTheirNumbers() throws IOException {
    List<Path> runs = new ArrayList<>();
    List<Map<String, double[]>> merged = new ArrayList<>();
    for (Path model : List.of(scaled, meant)) {
      Path run = folder.resolve("adapter-" + model.getFileName());
      SmallRun.run(config(model, ADAPTER), run, new SmallRun.Listener());
      Path target = folder.resolve("merged-" + model.getFileName());
      HuggingFaceExport.export(run, target, WeightFormat.FP32, _ -> {});
      runs.add(run);
      merged.add(tensors(target));
    }
    assertSame(merged.getFirst(), merged.getLast());
    assertThat(text(runs.getFirst())).isEqualTo(text(runs.getLast()));
    assertThat(text(scaled)).isEqualTo(text(meant));
  }

  private static String text(Path model) {
    try (Generator generator = Generator.open(model, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      return generator.generate("value1 = ", new Sampling(0, 0, 1, 1, 12), _ -> {}).text();
    }
  }

  @Test
  void otherQuantizedWeightsAreRefused() throws IOException {
    Path other = Files.createDirectories(folder.resolve("other"));
    for (String file : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      if (Files.exists(meant.resolve(file))) {
        Files.copy(meant.resolve(file), other.resolve(file));
      }
    }
    String json = Files.readString(other.resolve("config.json"));
    Files.writeString(
        other.resolve("config.json"),
        json.replaceFirst("\\{", "{\"quantization_config\": {\"quant_method\": \"awq\"},"));
    assertThatThrownBy(
            () -> SmallRun.run(config(other), folder.resolve("never"), new SmallRun.Listener()))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("they are quantized, awq");
  }
}
