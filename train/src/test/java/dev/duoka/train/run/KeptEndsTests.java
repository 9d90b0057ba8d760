package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.ByteTokenizerFiles;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.EndTokens;
import dev.duoka.train.generate.GenerationConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** From the folder of a tokenizer or a model through a run to generation and export. */
final class KeptEndsTests {
  private static final int EOS = new ByteTokenizer().eosId();

  @TempDir private Path folder;
  private Path tokenizer = Path.of("");

  @BeforeEach
  void writeTokenizer() throws IOException {
    tokenizer = Files.createDirectory(folder.resolve("tokenizer"));
    for (Map.Entry<String, byte[]> file : ByteTokenizerFiles.files().entrySet()) {
      Files.write(tokenizer.resolve(file.getKey()), file.getValue());
    }
    String words = "a few words and a few more of them\n".repeat(60);
    for (int i = 0; i < 4; i++) {
      Files.writeString(folder.resolve(i + ".txt"), i + words);
    }
  }

  private RunConfig config(String... overrides) {
    String run =
        """
        model: {preset: tiny-v3}
        data: {sources: [%s/*.txt], tokenizer: %s, sequence_length: 64, cache: %s}
        training: {tokens_per_step: 128, micro_batch: 2, steps: 1}
        device: cpu
        threads: 1
        """
            .formatted(folder, tokenizer, folder.resolve("cache"));
    return RunFile.parse("run.yaml", run, List.of(overrides));
  }

  private static void generation(Path folder, String json) throws IOException {
    Files.writeString(folder.resolve(GenerationConfig.FILE_NAME), json);
  }

  private Optional<Set<Integer>> kept(RunConfig config) {
    return KeptEnds.of(config, Tokenizer.load(config.data().tokenizer()), Optional.empty())
        .map(GenerationConfig::ends);
  }

  @Test
  void allEndsOfTheTokenizersFolderStopGenerationAndAreExported() throws IOException {
    generation(tokenizer, "{\"eos_token_id\": [258, 65], \"temperature\": 0.6}");
    Path run = folder.resolve("run");
    SmallRun.run(config(), run, new SmallRun.Listener());
    Path checkpoint = run.resolve("checkpoints/step-00000001");
    assertThat(ends(checkpoint)).containsExactlyInAnyOrder(65, EOS, 258);
    Path model = folder.resolve("model");
    HuggingFaceExport.export(run, model, WeightFormat.BF16, _ -> {});
    assertThat(ends(model)).containsExactlyInAnyOrder(65, EOS, 258);
    JsonNode json = Json.parse(model.resolve(GenerationConfig.FILE_NAME), ErrorCode.FORMAT);
    assertThat(IntStream.range(0, 3).map(i -> json.get("eos_token_id").get(i).intValue()))
        .containsExactly(65, EOS, 258);
    assertThat(json.get("temperature").doubleValue()).isEqualTo(0.6);
    assertThat(json.get("bos_token_id").intValue()).isEqualTo(new ByteTokenizer().bosId());
  }

  private static Set<Integer> ends(Path model) {
    Tokenizer tokenizer = Tokenizer.load(model.toString());
    return EndTokens.of(model, tokenizer, ModelConfigReader.read(model)).ids();
  }

  @Test
  void withoutSuchAFileTheTokenizerSaysItAll() {
    assertThat(kept(config())).isEmpty();
    assertThat(kept(config("data.tokenizer=bytes"))).isEmpty();
  }

  @Test
  void theTokenizersFileMayBeNamedItself() throws IOException {
    generation(tokenizer, "{\"eos_token_id\": 65}");
    assertThat(kept(config("data.tokenizer=" + tokenizer.resolve("tokenizer.json"))))
        .contains(Set.of(65, EOS));
  }

  @Test
  void theModelsEndsCountWhereTheTokenizerIsOfTheSameFamily() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    String[] ofModel = {"model.preset=null", "model.path=" + model};
    generation(model, "{\"eos_token_id\": [" + EOS + ", 65]}");
    assertThat(kept(config(ofModel))).contains(Set.of(65, EOS));
    generation(model, "{\"eos_token_id\": [1, 65]}");
    assertThat(kept(config(ofModel))).as("of another tokenizer").isEmpty();
    generation(model, "{\"eos_token_id\": [" + EOS + ", 128009]}");
    assertThat(kept(config(ofModel))).as("of a larger vocabulary").isEmpty();
    generation(tokenizer, "{\"eos_token_id\": 66}");
    assertThat(kept(config(ofModel))).as("the tokenizer's comes first").contains(Set.of(66, EOS));
  }

  @Test
  void endsThatTheTokenizerDoesNotHaveAreRefusedBeforeTheRun() throws IOException {
    generation(tokenizer, "{\"eos_token_id\": [257, 128009]}");
    assertThat(RunChecks.problems(config()))
        .singleElement()
        .satisfies(problem -> assertThat(problem.problem()).contains("[257, 128009]", "entries"));
    generation(tokenizer, "{\"eos_token_id\": \"</s>\"}");
    assertThatThrownBy(() -> kept(config()))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(GenerationConfig.FILE_NAME);
  }
}
