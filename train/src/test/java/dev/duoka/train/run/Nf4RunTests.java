package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.export.ExportReport;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.io.IOException;
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

/** Adapters beside a base in 4 bits: trained, resumed, merged and talked to. */
class Nf4RunTests {
  /** Drawn, so that small changes of the model change the text. */
  private static final Sampling DRAWN = new Sampling(1, 0, 1, 5, 96);

  private static final String ADAPTER =
      "adapter={rank: 2, modules: [q_b_proj, o_proj], experts: [down_proj], base: nf4}";

  private static final String LAST = "checkpoints/step-00000004";

  @TempDir static Path folder;

  private static Path base = Path.of(".");
  private static Path run = Path.of(".");

  @BeforeAll
  static void train() throws IOException {
    SmallRun.run(
        SmallRun.wide(folder, "training.steps=2", "schedule.warmup_steps=0"),
        folder.resolve("of-base"),
        new SmallRun.Listener());
    base = folder.resolve("base");
    HuggingFaceExport.export(folder.resolve("of-base"), base, WeightFormat.FP32, _ -> {});
    run = folder.resolve("run");
    SmallRun.Listener listener = new SmallRun.Listener();
    SmallRun.run(config(base, ADAPTER), run, listener);
    assertThat(listener.notices).anyMatch(notice -> notice.startsWith("kept in 4 bits are "));
  }

  private static RunConfig config(Path model, String... overrides) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model={path: " + model + ", load_weights: true}",
                "training.steps=4",
                "schedule.warmup_steps=0",
                "optimizer.learning_rate=2e-2",
                "checkpoint.every_steps=2"));
    all.addAll(List.of(overrides));
    return SmallRun.wide(folder, all.toArray(String[]::new));
  }

  private static Map<String, double[]> tensors(Path folder) {
    return tensors(folder, "model.safetensors");
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

  private static void assertSame(Map<String, double[]> actual, Map<String, double[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, values) -> assertThat(Arrays.equals(values, actual.get(name))).as(name).isTrue());
  }

  @Test
  void aCheckpointHoldsTheAdapterAndGoesOnBitForBit() throws IOException {
    Map<String, double[]> whole = tensors(run.resolve(LAST));
    assertThat(whole.keySet()).allMatch(name -> name.contains("lora_"));
    Path resumed = folder.resolve("resumed");
    SmallRun.run(config(base, ADAPTER), resumed, new SmallRun.Listener(), 2, false);
    SmallRun.run(config(base, ADAPTER), resumed, new SmallRun.Listener(), 0, true);
    assertSame(tensors(resumed.resolve(LAST)), whole);
  }

  @Test
  void aMeshGoesOnWithIt() throws IOException {
    Path spread = folder.resolve("spread");
    SmallRun.run(config(base, ADAPTER), spread, new SmallRun.Listener(), 2, false);
    RunConfig mesh =
        config(
            base,
            ADAPTER,
            "parallel={data: 2, tensor: 2, expert: 2, zero: 3}",
            "training.recompute=full");
    SmallRun.run(mesh, spread, new SmallRun.Listener(), 0, true);
    Map<String, double[]> whole = tensors(run.resolve(LAST));
    Map<String, double[]> actual = tensors(spread.resolve(LAST));
    assertThat(actual.keySet()).isEqualTo(whole.keySet());
    whole.forEach(
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

  @Test
  void anotherFormOfTheBaseIsRefused() throws IOException {
    Map<String, String> others =
        Map.of(
            "base: dense",
            ": adapter.base nf4 in the checkpoint, dense in the run file. Set adapter.base",
            "base: nf4, double_quantization: false",
            ": adapter.double_quantization true in the checkpoint, false in the run file. Set");
    for (String other : others.keySet()) {
      Path resumed = folder.resolve("refused-" + other.length());
      SmallRun.run(config(base, ADAPTER), resumed, new SmallRun.Listener(), 2, false);
      RunConfig changed = config(base, ADAPTER.replace("base: nf4", other));
      assertThatThrownBy(() -> SmallRun.run(changed, resumed, new SmallRun.Listener(), 0, true))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining(others.get(other))
          .hasMessageEndingWith("with adapter.path set to its exported adapter");
    }
  }

  @Test
  void aBaseThatWasDenseIsNotTakenForOneOfFourBits() throws IOException {
    Path resumed = folder.resolve("was-dense");
    String dense = ADAPTER.replace("nf4", "dense");
    SmallRun.run(config(base, dense), resumed, new SmallRun.Listener(), 2, false);
    assertThatThrownBy(
            () -> SmallRun.run(config(base, ADAPTER), resumed, new SmallRun.Listener(), 0, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("adapter.base dense in the checkpoint, nf4 in the run file");
  }

  @Test
  void mergedItIsTheNumbersOfTheBaseAndTheAdapter() throws IOException {
    Path merged = folder.resolve("merged");
    ExportReport report = HuggingFaceExport.export(run, merged, WeightFormat.FP32, _ -> {});
    assertThat(report.base().orElse("")).contains("a base in nf4").contains("float32");
    Map<String, double[]> before = tensors(base);
    Map<String, double[]> after = tensors(merged);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    before.forEach(
        (name, values) -> {
          double[] actual = Objects.requireNonNull(after.get(name));
          boolean adapted =
              name.endsWith("q_b_proj.weight")
                  || name.endsWith("o_proj.weight")
                  || (name.contains("mlp.experts.") && name.endsWith("down_proj.weight"));
          boolean dense =
              name.contains("norm")
                  || name.startsWith("lm_head")
                  || name.contains("embed_tokens")
                  || name.contains("mlp.gate.");
          double[] base = dense ? values : quantized(values);
          assertThat(Arrays.equals(actual, base)).as(name).isEqualTo(!adapted);
          if (adapted) {
            assertThat(distance(base, actual)).as(name).isBetween(1e-6, 0.9);
          }
        });
    String expected = text(run);
    assertThat(text(merged)).isEqualTo(expected);
    assertThat(text(base)).isNotEqualTo(expected);
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

  /** Ours say in which form the base was; of others who uses one says it. */
  @Test
  void anAdapterInThePeftFormIsUsedBesideABaseInFourBits() {
    Path peft = folder.resolve("peft");
    HuggingFaceExport.exportAdapter(run, peft, WeightFormat.FP32, _ -> {});
    String expected = text(run);
    assertThat(textBeside(peft, Optional.of(BaseForm.NF4))).isEqualTo(expected);
    assertThat(textBeside(peft, Optional.empty())).isEqualTo(expected);
    assertThat(textBeside(peft, Optional.of(BaseForm.DENSE))).isNotEqualTo(expected);
    assertThat(textBeside(run, Optional.of(BaseForm.NF4))).isEqualTo(expected);
    assertThatThrownBy(() -> textBeside(run, Optional.of(BaseForm.DENSE)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was trained on a base in the form nf4, not dense");
    assertThatThrownBy(() -> open(List.of(), Optional.of(BaseForm.NF4)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("it is no adapter's base. Leave --base-form out");
    ParallelSettings two = MeshOption.parse("tensor=2");
    assertThat(
            new MeshGenerator(
                    base,
                    Optional.of(peft),
                    Optional.of(BaseForm.NF4),
                    two,
                    DevicePlacement.choose(DeviceChoice.parse("cpu"), two.mesh()),
                    _ -> {})
                .generate("value1 = ", DRAWN, _ -> {})
                .text())
        .isEqualTo(expected);
  }

  private static Generator open(List<Path> adapters, Optional<BaseForm> form) {
    return Generator.open(base, adapters, form, Device.CPU, Dtype.FLOAT32, _ -> {}, Progress.NONE);
  }

  private static String textBeside(Path adapter, Optional<BaseForm> form) {
    try (Generator generator = open(List.of(adapter), form)) {
      return generator.generate("value1 = ", DRAWN, _ -> {}).text();
    }
  }

  private static double[] quantized(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    float[] again = Nf4.dequantize(Nf4.quantize(narrow), narrow.length, true);
    double[] wide = new double[again.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = again[i];
    }
    return wide;
  }

  @Test
  void theAdapterAloneSaysWhatItWasTrainedBeside() throws IOException {
    Path alone = folder.resolve("alone");
    ExportReport report = HuggingFaceExport.exportAdapter(run, alone, WeightFormat.FP32, _ -> {});
    assertThat(report.base().orElse("")).contains("bnb_4bit_use_double_quant true");
    assertThat(tensors(alone, AdapterFile.FILE_NAME)).isNotEmpty();
    Path next = folder.resolve("next");
    SmallRun.Listener listener = new SmallRun.Listener();
    SmallRun.run(
        config(base, "adapter={path: " + alone + ", base: nf4}", "training.steps=1"),
        next,
        listener);
    assertThat(listener.notices).anyMatch(notice -> notice.startsWith("kept in 4 bits are "));
  }

  /** The numbers that a folder stores are quantized, be they 32, 16 or 8 bits with scales. */
  @Test
  void aBaseInFewerBitsIsQuantizedAsTheNumbersThatItStandsFor() throws IOException {
    Path scaled = folder.resolve("scaled");
    Path meant = folder.resolve("meant");
    BlockScaledFolder.write(base, scaled, meant);
    Path half = folder.resolve("half");
    Path halfWide = folder.resolve("half-wide");
    HuggingFaceExport.export(base, half, WeightFormat.BF16, _ -> {});
    HuggingFaceExport.export(half, halfWide, WeightFormat.FP32, _ -> {});
    for (List<Path> same : List.of(List.of(scaled, meant), List.of(half, halfWide))) {
      List<Map<String, double[]>> ends = new ArrayList<>();
      for (Path model : same) {
        Path of = folder.resolve("of-" + model.getFileName());
        SmallRun.run(config(model, ADAPTER, "training.steps=2"), of, new SmallRun.Listener());
        ends.add(tensors(of.resolve("checkpoints/step-00000002")));
      }
      assertSame(ends.getFirst(), ends.getLast());
    }
  }

  @Test
  void aBaseThatASeedDrewIsDrawnAndQuantizedAgain() throws IOException {
    Path drawn = folder.resolve("drawn");
    SmallRun.run(
        SmallRun.wide(
            folder,
            ADAPTER,
            "training.steps=2",
            "schedule.warmup_steps=0",
            "optimizer.learning_rate=2e-2"),
        drawn,
        new SmallRun.Listener());
    Path merged = folder.resolve("drawn-merged");
    HuggingFaceExport.export(drawn, merged, WeightFormat.FP32, _ -> {});
    assertThat(text(merged)).isEqualTo(text(drawn));
  }
}
