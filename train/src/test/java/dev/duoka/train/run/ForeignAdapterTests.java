package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.formats.adapter.AdapterFolder;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.export.ExportSource;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Generator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Adapters in PEFT's form as they come from elsewhere: whose files do not belong together, whose
 * base is not here, of which a file is missing. Nothing of one is left out in silence.
 */
class ForeignAdapterTests {
  private static final String CONFIG = "adapter_config.json";

  @TempDir static Path folder;

  private static Path base = Path.of(".");
  private static Path adapter = Path.of(".");

  @BeforeAll
  static void train() throws IOException {
    Path ofBase = folder.resolve("of-base");
    SmallRun.run(config("model={preset: tiny-llama}"), ofBase, new SmallRun.Listener());
    base = folder.resolve("base");
    HuggingFaceExport.export(ofBase, base, WeightFormat.FP32, _ -> {});
    Path run = folder.resolve("run");
    SmallRun.run(onBase("adapter={rank: 2}"), run, new SmallRun.Listener());
    adapter = folder.resolve("adapter");
    HuggingFaceExport.exportAdapter(run, adapter, WeightFormat.FP32, _ -> {});
  }

  private static RunConfig onBase(String... overrides) throws IOException {
    List<String> all = new ArrayList<>(List.of("model={path: " + base + ", load_weights: true}"));
    all.addAll(List.of(overrides));
    return config(all.toArray(String[]::new));
  }

  private static RunConfig config(String... overrides) throws IOException {
    List<String> all = new ArrayList<>(List.of("training.steps=2", "schedule.warmup_steps=0"));
    all.addAll(List.of(overrides));
    return SmallRun.wide(folder, all.toArray(String[]::new));
  }

  /** A copy whose configuration says something else. */
  private static Path changed(String name, String before, String after) throws IOException {
    Path copy = copy(name);
    Path config = copy.resolve(CONFIG);
    String text = Files.readString(config);
    assertThat(text).containsPattern(before);
    Files.writeString(config, text.replaceFirst(before, after));
    return copy;
  }

  private static Path copy(String name) throws IOException {
    Path copy = folder.resolve(name);
    if (!Files.exists(copy)) {
      Files.createDirectories(copy);
      for (String file : List.of(CONFIG, AdapterFolder.WEIGHTS)) {
        Files.copy(adapter.resolve(file), copy.resolve(file));
      }
    }
    return copy;
  }

  private static void write(Path adapter, String mesh) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    Generator.open(
            base,
            List.of(adapter),
            Optional.empty(),
            parallel,
            DevicePlacement.choose(DeviceChoice.parse("cpu"), parallel.mesh()),
            _ -> {},
            Progress.NONE)
        .close();
  }

  @ParameterizedTest
  @CsvSource({
    "without a module, '\"exclude_modules\" *: *[^,}]*', '\"exclude_modules\": [\"q_proj\"]'",
    "of one layer, '\"layers_to_transform\" *: *[^,}]*', '\"layers_to_transform\": [0]'"
  })
  void tensorsThatItsConfigurationLeavesOutAreRefusedEverywhere(
      String name, String before, String after) throws IOException {
    Path less = copy(name);
    String text = Files.readString(less.resolve(CONFIG));
    String other =
        text.matches("(?s).*" + before + ".*")
            ? text.replaceFirst(before, after)
            : text.replaceFirst("\\{", "{" + after + ",");
    Files.writeString(less.resolve(CONFIG), other);
    String refusal = "which adapter_config.json does not speak of";
    Path merged = folder.resolve("merged " + name);
    assertThatThrownBy(() -> HuggingFaceExport.export(less, merged, WeightFormat.FP32, _ -> {}))
        .hasMessageContaining(refusal);
    assertThat(merged).doesNotExist();
    assertThatThrownBy(() -> write(less, "pipeline=2")).hasMessageContaining(refusal);
    assertThatThrownBy(() -> write(less, "tensor=2")).hasMessageContaining(refusal);
    for (String mesh : List.of("{data: 1}", "{data: 2, zero: 3}", "{pipeline: 2}")) {
      RunConfig run = onBase("adapter={path: '" + less + "'}", "parallel=" + mesh);
      assertThatThrownBy(
              () -> SmallRun.run(run, folder.resolve(name + mesh), new SmallRun.Listener()))
          .as(mesh)
          .hasMessageContaining(refusal);
    }
  }

  @Test
  void whatBelongsTogetherIsTakenOnAnyMesh() throws IOException {
    for (String mesh : List.of("{data: 2, zero: 3}", "{pipeline: 2}", "{tensor: 2}")) {
      RunConfig run = onBase("adapter={path: " + adapter + "}", "parallel=" + mesh);
      assertThatCode(
              () -> SmallRun.run(run, folder.resolve("whole" + mesh), new SmallRun.Listener()))
          .doesNotThrowAnyException();
    }
    assertThatCode(() -> write(adapter, "pipeline=2")).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"deepseek-ai/deepseek-coder-1.3b-base", "/gone"})
  void oneWhoseBaseIsElsewhereIsMergedIntoTheBaseThatIsGiven(String name) throws IOException {
    Path there =
        changed(
            "hub " + name.length(),
            "\"base_model_name_or_path\" *: *\"[^\"]*\"",
            "\"base_model_name_or_path\": \"" + name + "\"");
    Path merged = folder.resolve("merged hub " + name.length());
    ExportSource source = new ExportSource(there, Optional.of(base));
    HuggingFaceExport.export(source, merged, WeightFormat.FP32, _ -> {}, Progress.NONE);
    assertThat(merged.resolve("tokenizer.json")).exists();
    Path usual = folder.resolve("merged usual " + name.length());
    HuggingFaceExport.export(adapter, usual, WeightFormat.FP32, _ -> {});
    assertThat(merged.resolve("model.safetensors"))
        .hasSameBinaryContentAs(usual.resolve("model.safetensors"));
  }

  @Test
  void aBaseWithoutATokenizerIsNamed() throws IOException {
    Path bare = folder.resolve("bare");
    Files.createDirectories(bare);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(base.resolve(file), bare.resolve(file));
    }
    ExportSource source = new ExportSource(adapter, Optional.of(bare));
    assertThatThrownBy(
            () ->
                HuggingFaceExport.export(
                    source, folder.resolve("no"), WeightFormat.FP32, _ -> {}, Progress.NONE))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("there is no tokenizer in " + bare)
        .hasMessageContaining("tokenizer.json");
  }

  @Test
  void aSeedsWeightsAreNotTheBaseOfAnAdapterThatNamesAnother() throws IOException {
    RunConfig drawn = config("model={preset: tiny-llama}", "adapter={path: " + adapter + "}");
    assertThatThrownBy(() -> SmallRun.run(drawn, folder.resolve("drawn"), new SmallRun.Listener()))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was trained on other weights than this run's base has")
        .hasMessageContaining("seed ")
        .hasMessageContaining("model.path");
  }

  @Test
  void aMissingFileIsNamed() throws IOException {
    Path noWeights = copy("no weights");
    Files.delete(noWeights.resolve(AdapterFolder.WEIGHTS));
    requireNamed(noWeights, "has no adapter_model.safetensors", "Copy or download");
    Path pickled = copy("pickled");
    Files.move(pickled.resolve(AdapterFolder.WEIGHTS), pickled.resolve("adapter_model.bin"));
    requireNamed(pickled, "only adapter_model.bin", "save_pretrained");
    Path noConfig = copy("no config");
    Files.delete(noConfig.resolve(CONFIG));
    requireNamed(noConfig, "has no adapter_config.json", "Copy or download");
  }

  private static void requireNamed(Path adapter, String problem, String remedy) {
    assertThatThrownBy(
            () ->
                HuggingFaceExport.export(
                    adapter, folder.resolve("never"), WeightFormat.FP32, _ -> {}))
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
    assertThatThrownBy(() -> Generator.open(adapter, Device.CPU, Dtype.FLOAT32, _ -> {}).close())
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
    assertThatThrownBy(() -> goOnFrom(adapter))
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
  }

  private static void goOnFrom(Path adapter) throws IOException {
    SmallRun.run(
        onBase("adapter={path: '" + adapter + "'}"),
        folder.resolve("goes on"),
        new SmallRun.Listener());
  }

  @Test
  void aRunIsNoFolderToGoOnFromAndIsToldTheWayToOne() {
    for (Path own :
        List.of(folder.resolve("run"), folder.resolve("run/checkpoints/step-00000002"))) {
      assertThatThrownBy(() -> goOnFrom(own))
          .hasMessageContaining("adapter.path is " + own + ", a run or a checkpoint of duoka")
          .hasMessageContaining("--adapter --output DIR");
    }
  }
}
