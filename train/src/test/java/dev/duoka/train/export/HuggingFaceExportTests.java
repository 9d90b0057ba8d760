package dev.duoka.train.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.layout.Precision;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointWriter;
import dev.duoka.train.checkpoint.PretrainedWeights;
import dev.duoka.train.checkpoint.RetentionPolicy;
import dev.duoka.train.checkpoint.TestRank;
import dev.duoka.train.checkpoint.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

class HuggingFaceExportTests {
  private static final String BIAS = "e_score_correction_bias";
  private static final long STEP = 8;

  @TempDir Path folder;
  private Path run;
  private Path target;
  private final List<CheckpointEvent> events = new ArrayList<>();

  @BeforeEach
  void saveTwoSteps() {
    run = folder.resolve("run");
    target = folder.resolve("model");
    try (CheckpointWriter writer =
        new CheckpointWriter(
            run, TokenizerFiles.of("bytes"), new RetentionPolicy(2, 0), events::add)) {
      LocalRanks.run(
          2,
          collectives -> {
            try (TestRank rank = TestRank.create(collectives, 1, Precision.BF16)) {
              for (long step = STEP - 1; step <= STEP; step++) {
                rank.fill(step);
                writer.save(collectives, rank.model(), rank.optimizer(), TestRank.state(step));
                collectives.agreement().barrier();
              }
            }
          });
    }
    events.clear();
  }

  @ParameterizedTest
  @EnumSource
  void tensorsAreTheMastersRounded(WeightFormat format) {
    Dtype dtype = format.dtype();
    ExportReport report = HuggingFaceExport.export(run, target, format, events::add);
    assertThat(events).isEmpty();
    assertThat(report.source()).isEqualTo(run.resolve("checkpoints/step-00000008"));
    try (SafetensorsFolder written = SafetensorsFolder.open(target)) {
      assertThat(written.tensors()).hasSize(report.tensors());
      for (TensorEntry entry : written.tensors()) {
        boolean bias = entry.name().endsWith(BIAS);
        assertThat(StoredTensors.dtype(entry)).isEqualTo(bias ? Dtype.FLOAT32 : dtype);
        // The MTP module's copies of what it shares with the model.
        String source =
            entry
                .name()
                .replace("model.layers.2.embed_tokens", "model.embed_tokens")
                .replace("model.layers.2.shared_head.head", "lm_head");
        float[] master = TestRank.values(source, STEP, entry.elements());
        try (Tensor stored = StoredTensors.read(written, entry)) {
          assertThat(HostCopy.floats(stored))
              .as(entry.name())
              .isEqualTo(bias ? master : TestRank.rounded(master, dtype));
        }
      }
      assertThat(written.contains("model.layers.2.shared_head.head.weight")).isTrue();
    }
  }

  @Test
  void folderIsCompleteForOtherTools() {
    ExportReport report = HuggingFaceExport.export(run, target, WeightFormat.BF16, events::add);
    assertThat(report.files())
        .containsExactly(
            "model.safetensors",
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json");
    assertThat(ModelConfigReader.read(target)).isEqualTo(TestRank.config());
    assertThat(json("config.json").get("torch_dtype").stringValue()).isEqualTo("bfloat16");
    assertThat(json("generation_config.json").get("eos_token_id").intValue()).isEqualTo(257);
    Tokenizer tokenizer = Tokenizer.load(target.toString());
    String text = "int x = 1; // 多卡\n";
    assertThat(tokenizer.encodeWithSpecialTokens(text))
        .isEqualTo(new ByteTokenizer().encodeWithSpecialTokens(text));
    try (LanguageModel model =
            ModelFactory.create(
                TestRank.config(),
                new ModelFactory.Allocation(Dtype.BFLOAT16, Device.CPU, false, 8, 1));
        SafetensorsFolder weights = SafetensorsFolder.open(target)) {
      WeightReader.Report read =
          WeightReader.readAll(CheckpointWeights.plain(weights), model.weights(), model.buffers());
      assertThat(read.unused()).allMatch(name -> name.startsWith("model.layers.2."));
    }
  }

  private JsonNode json(String name) {
    return Json.parse(target.resolve(name), ErrorCode.FORMAT);
  }

  /** As in a folder whose config is of the preset, and whose tokenizer is another. */
  @Test
  void theTokenizersIdsReplaceThoseOfTheConfig() throws IOException {
    HuggingFaceExport.export(run, target, WeightFormat.BF16, events::add);
    Path config = target.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config).replaceFirst("\"eos_token_id\" : \\d+", "\"eos_token_id\" : 4"));
    assertThat(json("config.json").get("eos_token_id").intValue()).isEqualTo(4);
    Files.delete(target.resolve("generation_config.json"));
    Path again = folder.resolve("again");
    HuggingFaceExport.export(target, again, WeightFormat.BF16, events::add);
    for (String file : List.of("config.json", "generation_config.json")) {
      JsonNode ids = Json.parse(again.resolve(file), ErrorCode.FORMAT);
      assertThat(ids.get("eos_token_id").intValue()).isEqualTo(new ByteTokenizer().eosId());
    }
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    Files.createDirectories(target);
    HuggingFaceExport.export(
        run, target, WeightFormat.BF16, events::add); // an empty folder is fine
    assertThatThrownBy(() -> HuggingFaceExport.export(run, target, WeightFormat.BF16, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("not an empty folder");
  }

  @Test
  void refusalsSayWhatIsInTheWay() throws IOException {
    Path file = Files.writeString(folder.resolve("a-file"), "text");
    assertThatThrownBy(() -> HuggingFaceExport.export(file, target, WeightFormat.BF16, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(file + ": it is a file, not a folder");
    assertThatThrownBy(
            () ->
                HuggingFaceExport.export(
                    folder.resolve("no"), target, WeightFormat.BF16, events::add))
        .hasMessageContaining("there is no such folder");
    assertThatThrownBy(
            () -> HuggingFaceExport.export(run, file.resolve("x"), WeightFormat.BF16, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot export to " + file.resolve("x") + ": ")
        .hasMessageNotContaining("Exception");
  }

  @Test
  void damagedNewestIsPassedOverAndAFailureLeavesNothing() throws IOException {
    Path newest = run.resolve("checkpoints/step-00000008");
    Path weights = newest.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length / 2] ^= 1;
    Files.write(weights, bytes);
    ExportReport report = HuggingFaceExport.export(run, target, WeightFormat.FP32, events::add);
    assertThat(report.source()).isEqualTo(run.resolve("checkpoints/step-00000007"));
    assertThat(events).singleElement().isInstanceOf(CheckpointEvent.Damaged.class);
    Path broken = folder.resolve("broken");
    assertThatThrownBy(
            () -> HuggingFaceExport.export(newest, broken, WeightFormat.FP32, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("model.safetensors");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("run", "model");
    }
  }

  @Test
  void exportedWeightsStartAnotherRun() {
    HuggingFaceExport.export(run, target, WeightFormat.FP32, events::add);
    List<String> notices = new ArrayList<>();
    try (TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
      PretrainedWeights.load(target, rank.model(), notices::add, Progress.NONE);
      float[] embedding =
          HostCopy.floats(rank.model().parameters().parameter("model.embed_tokens.weight").value());
      assertThat(embedding)
          .isEqualTo(TestRank.values("model.embed_tokens.weight", STEP, embedding.length));
    }
    assertThat(notices).singleElement().asString().contains("2 tensors of", "are not used");
  }
}
