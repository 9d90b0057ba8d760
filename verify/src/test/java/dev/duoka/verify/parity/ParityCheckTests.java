package dev.duoka.verify.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.checkpoint.StoredModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A check that finds nothing wrong is worth something only if it can find something. */
class ParityCheckTests {
  private static final double TOLERANCE = 1e-4;

  /** Enough to see that they bring a wrong engine no nearer; all of them would take minutes. */
  private static final int FEW_RUNS = 6;

  @TempDir Path folder;

  @BeforeEach
  void copyAGolden() throws IOException {
    copy("v3");
  }

  private void copy(String name) throws IOException {
    Path golden = Path.of(System.getProperty("duoka.repository"), "golden", name);
    for (String file : List.of("config.json", "model.safetensors", "expect.safetensors")) {
      Files.copy(golden.resolve(file), folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private void rewrite(String tensor, double[] values) throws IOException {
    Rewritten file = Rewritten.read(folder);
    for (int i = 0; i < values.length; i++) {
      file.set(tensor, i, values[i]);
    }
    file.write();
  }

  private Map<String, ParityResult> run() {
    return run(ParityCheck.PERTURBED_RUNS);
  }

  private Map<String, ParityResult> run(int perturbedRuns) {
    return ParityCheck.run(folder, Device.CPU, TOLERANCE, ParityCheck.OPTIMIZER, perturbedRuns)
        .stream()
        .collect(Collectors.toMap(ParityResult::name, Function.identity()));
  }

  /** Changes the first element of a tensor by a hundredth. */
  private void damage(String file, String tensor) throws IOException {
    long position;
    try (SafetensorsFile stored = SafetensorsFile.open(folder.resolve(file))) {
      TensorEntry entry = stored.entry(tensor);
      ByteBuffer first = ByteBuffer.allocate((int) entry.byteLength());
      stored.read(entry, 0, first);
      byte[] content = Files.readAllBytes(folder.resolve(file));
      position = indexOf(content, first.array());
    }
    try (FileChannel channel =
        FileChannel.open(folder.resolve(file), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer element = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(element, position);
      element.putFloat(0, element.getFloat(0) + 0.01f);
      channel.write(element.rewind(), position);
    }
  }

  private static int indexOf(byte[] content, byte[] part) {
    String whole = new String(content, StandardCharsets.ISO_8859_1);
    return whole.indexOf(new String(part, StandardCharsets.ISO_8859_1));
  }

  @Test
  void findsOneWrongGradient() throws IOException {
    String name = "grad.model.layers.1.mlp.gate.weight";
    damage("expect.safetensors", name);
    run()
        .forEach(
            (tensor, result) ->
                assertThat(result.within(TOLERANCE))
                    .as(result.toString())
                    .isEqualTo(!tensor.equals(name)));
  }

  @Test
  void findsOneWrongWeight() throws IOException {
    damage("model.safetensors", "model.layers.0.self_attn.kv_a_layernorm.weight");
    Map<String, ParityResult> results = run(0);
    assertThat(results.get("logits")).isNotNull().matches(result -> !result.within(TOLERANCE));
    assertThat(results.get("grad.model.layers.0.self_attn.kv_b_proj.weight"))
        .isNotNull()
        .matches(result -> !result.within(TOLERANCE));
  }

  @ParameterizedTest
  @MethodSource("wrongOptimizers")
  void perturbedRunsExcuseNoWrongOptimizer(AdamWSettings wrong) {
    List<ParityResult> results = ParityCheck.run(folder, Device.CPU, TOLERANCE, wrong, FEW_RUNS);
    assertThat(results).filteredOn(result -> !result.within(TOLERANCE)).isNotEmpty();
    assertThat(results.getLast().runs()).isEqualTo(1 + FEW_RUNS);
    assertThat(results.getLast().relativeError()).isGreaterThan(2 * TOLERANCE);
  }

  static Stream<AdamWSettings> wrongOptimizers() {
    return Stream.of(
        new AdamWSettings(0.9, 0.999, 1e-8, 0.1, 1), // beta2
        new AdamWSettings(0.85, 0.95, 1e-8, 0.1, 1), // beta1
        new AdamWSettings(0.9, 0.95, 1e-7, 0.1, 1), // eps
        new AdamWSettings(0.9, 0.95, 1e-8, 0.12, 1)); // weight decay
  }

  @Test
  void perturbedRunsExcuseNoWrongWeight() throws IOException {
    damage("model.safetensors", "model.norm.weight");
    ParityResult norms =
        ParityCheck.run(folder, Device.CPU, TOLERANCE, ParityCheck.OPTIMIZER, FEW_RUNS).getLast();
    assertThat(norms.name()).isEqualTo("grad_norms");
    assertThat(norms.within(TOLERANCE)).as(norms.toString()).isFalse();
    assertThat(norms.runs()).isEqualTo(1 + FEW_RUNS);
  }

  /** What a program expects that fell to the other side of a tie of two experts. */
  @Test
  void aSeriesFromTheOtherSideOfAForkHolds() throws IOException {
    copy("v3-yarn");
    ModelConfig config = ModelConfigReader.read(folder);
    OptimizerSteps.Series elsewhere = null;
    try (ExpectedTensors expected = ExpectedTensors.open(folder);
        StoredModel weights = StoredModel.open(folder)) {
      OptimizerSteps steps =
          new OptimizerSteps(
              ParityCheck.settings(config, 24, ParityCheck.OPTIMIZER, 0),
              Device.CPU,
              weights,
              expected.steps(config.vocabSize()));
      double[] plain = steps.run(0).norms();
      for (int seed = 1; seed <= ParityCheck.PERTURBED_RUNS && elsewhere == null; seed++) {
        OptimizerSteps.Series series = steps.run(seed);
        if (ParityResult.error(series.norms(), plain) > 10 * TOLERANCE) {
          elsewhere = series;
        }
      }
    }
    assertThat(elsewhere).as("a run that rounding leads elsewhere").isNotNull();
    rewrite("adamw_losses", elsewhere.losses());
    rewrite("grad_norms", elsewhere.norms());
    Map<String, ParityResult> results = run();
    for (String series : List.of("adamw_losses", "grad_norms")) {
      ParityResult result = results.get(series);
      assertThat(result).isNotNull();
      assertThat(result.runs()).as(result.toString()).isGreaterThan(1);
      assertThat(result.plainError()).isGreaterThan(result.relativeError());
      assertThat(result.within(TOLERANCE)).isTrue();
    }
  }

  @Test
  void readsAnyFloatingTypeAndInt32Ids() throws IOException {
    Rewritten file = Rewritten.read(folder);
    file.store("input_ids", StoredDtype.I32);
    file.store("step_ids.3", StoredDtype.I32);
    file.store("logits", StoredDtype.F64);
    file.store("grad.model.norm.weight", StoredDtype.F16);
    file.store("grad.lm_head.weight", StoredDtype.BF16);
    file.write();
    Map<String, ParityResult> results = run();
    assertThat(results.get("logits")).isNotNull().matches(result -> result.within(TOLERANCE));
    assertThat(results.get("adamw_losses")).isNotNull().matches(r -> r.within(TOLERANCE));
    // The expectation itself is only as exact as its dtype.
    assertThat(error(results, "grad.model.norm.weight")).isBetween(1e-5, 1e-3);
    assertThat(error(results, "grad.lm_head.weight")).isBetween(1e-4, 1e-2);
  }

  private static double error(Map<String, ParityResult> results, String name) {
    ParityResult result = results.get(name);
    assertThat(result).isNotNull();
    return result.relativeError();
  }

  @Test
  void batchesOfStepsMayHaveOtherSizes() throws IOException {
    Rewritten file = Rewritten.read(folder);
    file.shape("step_ids.0", 3, 16); // 48 ids as before, in other sequences
    file.shape("step_ids.1", 1, 48);
    file.write();
    Map<String, ParityResult> results = run(0);
    assertThat(error(results, "adamw_losses")).isBetween(1e-6, 1.0);
    assertThat(error(results, "logits")).isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "input_ids | F32 | input_ids has the dtype F32 | I64 or I32",
        "logits | I64 | logits has the dtype I64 | F32, F64, BF16 or F16",
        "step_ids.7 | U8 | step_ids.7 has the dtype U8 | I64 or I32",
      })
  void namesWrongDtypes(String name, StoredDtype dtype, String problem, String remedy)
      throws IOException {
    Rewritten file = Rewritten.read(folder);
    file.store(name, dtype);
    file.write();
    assertThatThrownBy(this::run)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("expect.safetensors")
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
  }

  @Test
  void namesIdsOfAnotherShapeOrModel() throws IOException {
    Rewritten file = Rewritten.read(folder);
    file.shape("step_ids.2", 48);
    file.write();
    assertThatThrownBy(this::run)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("step_ids.2 has the shape [48]");
    file.shape("step_ids.2", 2, 24);
    file.set("step_ids.2", 5, 1 << 20);
    file.write();
    assertThatThrownBy(this::run)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("step_ids.2 holds the token id 1048576, outside of 0 to");
  }

  @Test
  void leavesNoTensorBehind() {
    long storages = MemoryLedger.of(Device.CPU).liveStorages();
    run();
    assertThat(MemoryLedger.of(Device.CPU).liveStorages()).isEqualTo(storages);
  }

  @Test
  void namesWhatTheModelDoesNotHave() throws IOException {
    String config = Files.readString(folder.resolve("config.json"));
    String changed =
        config.replaceFirst("\"num_hidden_layers\": (\\d+)", "\"num_hidden_layers\": 1");
    assertThat(changed).isNotEqualTo(config);
    Files.writeString(folder.resolve("config.json"), changed);
    assertThatThrownBy(this::run)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("expects the gradient of")
        .hasMessageContaining("model.layers.");
  }
}
