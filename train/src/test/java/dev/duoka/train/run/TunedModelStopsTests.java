package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.data.tokenizer.ByteTokenizerFiles;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Conversation;
import dev.duoka.train.generate.Generation;
import dev.duoka.train.generate.GenerationConfig;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.Sampling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that is tuned on chats answers as it has learned, and stops by its template's token. */
final class TunedModelStopsTests {
  private static final String CHATML =
      """
      {% for message in messages %}
      {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
      {%- endfor %}
      {% if add_generation_prompt %}
      {{ '<|im_start|>assistant\\n' }}
      {%- endif %}
      """;

  @TempDir Path folder;

  /** Bytes, with two markers and a template of its own; its eos is neither of them. */
  private Path tokenizer() throws IOException {
    Path tokenizer = Files.createDirectory(folder.resolve("tokenizer"));
    for (Map.Entry<String, byte[]> file : ByteTokenizerFiles.files().entrySet()) {
      String text =
          new String(file.getValue(), StandardCharsets.UTF_8)
              .replace("<reserved260>", "<|im_start|>")
              .replace("<reserved261>", "<|im_end|>");
      Files.writeString(tokenizer.resolve(file.getKey()), text);
    }
    Files.writeString(tokenizer.resolve("chat_template.jinja"), CHATML);
    return tokenizer;
  }

  private RunConfig config(Path tokenizer) throws IOException {
    StringBuilder chats = new StringBuilder();
    for (String[] turn : new String[][] {{"Hi", "Hello"}, {"1+1?", "2"}}) {
      chats
          .append("{\"messages\": [{\"role\": \"user\", \"content\": \"" + turn[0] + "\"}, ")
          .append("{\"role\": \"assistant\", \"content\": \"" + turn[1] + "\"}]}\n");
    }
    Path file = Files.writeString(folder.resolve("chats.jsonl"), chats);
    return RunFile.parse(
        "run.yaml",
        """
        model:
          preset: tiny-llama
          overrides: {hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2}
        data:
          sources: [%s]
          format: chat
          tokenizer: %s
          sequence_length: 64
          validation_fraction: 0
          cache: %s
        training: {tokens_per_step: 128, micro_batch: 2, steps: 60}
        optimizer: {learning_rate: 0.01}
        schedule: {warmup_steps: 5}
        device: cpu
        threads: 1
        """
            .formatted(file, tokenizer, folder.resolve("cache")),
        List.of());
  }

  @Test
  void answersAsItHasLearnedAndStops() throws IOException {
    Path tokenizer = tokenizer();
    int end = Tokenizer.load(tokenizer.toString()).idOf("<|im_end|>");
    assertThat(end).isEqualTo(261);
    Path run = folder.resolve("run");
    SmallRun.Listener listener = new SmallRun.Listener();
    SmallRun.run(config(tokenizer), run, listener);
    assertThat(listener.losses().getLast()).isLessThan(0.1);
    try (Generator generator = Generator.open(run, Device.CPU, Dtype.FLOAT32, _ -> {})) {
      assertThat(answer(generator, "Hi", "Hello")).endsWith(end);
      assertThat(answer(generator, "1+1?", "2")).endsWith(end);
    }
    Path model = folder.resolve("model");
    HuggingFaceExport.export(run, model, WeightFormat.BF16, _ -> {});
    assertThat(GenerationConfig.in(model).orElseThrow().ends())
        .as("where other programs stop")
        .contains(end);
  }

  private static List<Integer> answer(Generator generator, String question, String expected) {
    Conversation conversation =
        new Conversation(generator, generator.chatTemplate(), new Sampling(0, 0, 1, 1, 30));
    Generation answer = conversation.ask(question, _ -> {}).generation();
    assertThat(answer.text()).isEqualTo(expected);
    assertThat(answer.end()).isEqualTo(Generation.End.END_TOKEN);
    return answer.tokens();
  }

  @Test
  void aFileThatNamesTheEosAloneGetsTheEndOfTurn() throws IOException {
    Path tokenizer = tokenizer();
    Files.writeString(tokenizer.resolve(GenerationConfig.FILE_NAME), "{\"eos_token_id\": 257}");
    Path run = folder.resolve("short");
    SmallRun.run(config(tokenizer), run, new SmallRun.Listener(), 6, false);
    try (Stream<Path> checkpoints = Files.list(run.resolve(CheckpointStore.FOLDER))) {
      Path checkpoint = checkpoints.findFirst().orElseThrow();
      assertThat(GenerationConfig.in(checkpoint).orElseThrow().ends())
          .containsExactlyInAnyOrder(257, 261);
    }
  }
}
