package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.WeightInitializer;
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
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters beside a base that a seed drew and that no folder holds. */
class DrawnBaseRunTests {
  private static final Sampling DRAWN = new Sampling(1, 0, 1, 5, 24);
  private static final String ADAPTER =
      "adapter={rank: 2, modules: [q_b_proj, o_proj], experts: [down_proj]}";

  @TempDir static Path folder;

  private static Path run = Path.of(".");
  private static Path merged = Path.of(".");

  @BeforeAll
  static void train() throws IOException {
    run = folder.resolve("run");
    SmallRun.run(config(ADAPTER), run, new SmallRun.Listener());
    merged = folder.resolve("merged");
    HuggingFaceExport.export(run, merged, WeightFormat.FP32, _ -> {});
  }

  private static RunConfig config(String... overrides) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "training.steps=3",
                "training.seed=11",
                "schedule.warmup_steps=0",
                "optimizer.learning_rate=2e-2",
                "checkpoint.every_steps=3"));
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

  private static String text(Path model, boolean adapted) {
    try (Generator generator = Generator.open(model, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      generator.setAdapted(adapted);
      return generator.generate("value1 = ", DRAWN, _ -> {}).text();
    }
  }

  @Test
  void itIsDrawnAgainToWriteWithAndWithoutTheAdapter() {
    String expected = text(run, true);
    assertThat(text(merged, true)).isEqualTo(expected);
    assertThat(text(run, false)).isNotEqualTo(expected);
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

  /** Beside what a run without any adapter starts from, with the same seed. */
  @Test
  void mergedItIsTheSameModelButForWhatHasAnAdapter() throws IOException {
    Path whole = folder.resolve("whole");
    SmallRun.run(
        config(
            "model.mtp_weight=0",
            "training.steps=1",
            "optimizer={learning_rate: 1e-30, weight_decay: 0}"),
        whole,
        new SmallRun.Listener());
    Map<String, double[]> drawn = tensors(whole.resolve("checkpoints/step-00000001"));
    Map<String, double[]> actual = tensors(merged);
    assertThat(actual.keySet()).isEqualTo(drawn.keySet());
    actual.forEach(
        (name, values) -> {
          boolean adapted =
              name.endsWith("q_b_proj.weight")
                  || name.endsWith("o_proj.weight")
                  || (name.contains("mlp.experts.") && name.endsWith("down_proj.weight"));
          if (!name.endsWith("e_score_correction_bias")) { // which whole training balances
            assertThat(Arrays.equals(values, drawn.get(name))).as(name).isEqualTo(!adapted);
          }
        });
  }

  @Test
  void theAdapterAloneIsNoModel() {
    Path target = folder.resolve("alone");
    assertThatThrownBy(
            () -> HuggingFaceExport.exportAdapter(run, target, WeightFormat.FP32, _ -> {}))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("its base was drawn from a seed");
    assertThat(target).doesNotExist();
  }

  /** As a checkpoint that somebody has given another config.json, manifest and all. */
  @Test
  void aBaseOfAnotherModelIsRefused() throws IOException {
    Path other = Files.createDirectories(folder.resolve("other"));
    Path checkpoint = run.resolve("checkpoints/step-00000003");
    for (Path file : files(checkpoint)) {
      String name = String.valueOf(file.getFileName());
      if (!name.equals("manifest.json")) {
        Files.copy(file, other.resolve(name));
      }
    }
    assertThat(text(other, true)).isEqualTo(text(run, true));
    Path config = other.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst("\"rope_theta\" *: *[0-9.E]+", "\"rope_theta\": 123.0"));
    assertThatThrownBy(() -> text(other, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("seed 11 drew for another model");
  }

  /** The first way of drawing, whose checkpoints do not say which it was. */
  @Test
  void aBaseThatWasDrawnInAnotherWayIsRefused() throws IOException {
    Path earlier = Files.createDirectories(folder.resolve("earlier"));
    for (Path file : files(run.resolve("checkpoints/step-00000003"))) {
      if (!String.valueOf(file.getFileName()).equals("manifest.json")) {
        Files.copy(file, earlier.resolve(String.valueOf(file.getFileName())));
      }
    }
    Path state = earlier.resolve("state.json");
    String asWritten = Files.readString(state);
    String way = ", way " + WeightInitializer.WAY;
    assertThat(asWritten).contains(way);
    Files.writeString(state, asWritten.replace(way, ""));
    assertThatThrownBy(() -> text(earlier, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("seed 11 drew in way 1, and this version of duoka draws in way 2")
        .hasMessageContaining("export it merged");
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
