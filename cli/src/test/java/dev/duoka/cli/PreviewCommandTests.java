package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class PreviewCommandTests {
  @TempDir Path folder;

  private final ProgramRun program = new ProgramRun();

  private Path runFile(String data) throws IOException {
    return Files.writeString(
        folder.resolve("run.yaml"),
        """
        model: {preset: tiny-v3}
        data: {%s, cache: %s}
        training: {tokens_per_step: 128, micro_batch: 1, steps: 2}
        schedule: {warmup_steps: 0}
        device: cpu
        """
            .formatted(data, folder.resolve("cache")));
  }

  private Path chats(String more) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("chats.jsonl"),
            """
            {"messages": [{"role": "user", "content": "Hi\\u001b[2J"}, {"role": "assistant", "content": "Hello"}]}
            {"messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "And?"}, {"role": "assistant", "content": "3"}]}
            """);
    return runFile(
        "sources: [%s], format: chat, chat_template: plain, sequence_length: 128, validation_fraction: 0%s"
            .formatted(file, more));
  }

  private String preview(Path file, String... more) {
    String[] words = new String[more.length + 2];
    words[0] = "preview";
    words[1] = file.toString();
    System.arraycopy(more, 0, words, 2, more.length);
    int status = program.run(words);
    assertThat(status).as(program.err().toString()).isZero();
    return program.out().toString();
  }

  @Test
  void showsChatsWithWhatIsLearned() throws IOException {
    assertThat(preview(chats(", pack_chats: true")))
        .isEqualTo(
            """
            1 sequence in the training part, of 128 tokens each; a document sees those before it in its sequence; what is learned is in ⟦ ⟧

            sequence 1: 129 tokens, 13 learned (10 %), 46 padding
            ── document 1, 51 tokens, 6 learned ──
            <bos>user: 1+1?↵
            assistant:⟦ 2<eos>⟧↵
            user: And?↵
            assistant:⟦ 3<eos>⟧↵
            ── document 2, 32 tokens, 7 learned ──
            <bos>user: Hi␛[2J↵
            assistant:⟦ Hello<eos>⟧↵
            """);
    assertThat(preview(chats(", pack_chats: true, documents_apart: true, loss_on: last")))
        .contains("documents of a sequence do not see each other")
        .contains("assistant: 2<eos>↵")
        .contains("assistant:⟦ 3<eos>⟧↵");
  }

  @Test
  void asManyAsAreAskedForAndAsFields() throws IOException {
    Path file = chats("");
    assertThat(preview(file, "--records", "1")).containsOnlyOnce("document 1,");
    JsonNode root =
        Json.parse(
            preview(file, "--json").getBytes(StandardCharsets.UTF_8), "out", ErrorCode.FORMAT);
    assertThat(root.get("sequences").intValue()).isEqualTo(2);
    assertThat(root.get("samples")).hasSize(2);
    StringBuilder learned = new StringBuilder();
    for (JsonNode sample : root.get("samples")) {
      for (JsonNode piece : sample.get("documents").get(0).get("pieces")) {
        learned.append(
            piece.get("learned").booleanValue() ? piece.get("text").stringValue() + "|" : "");
      }
    }
    assertThat(learned.toString()).contains(" Hello|<eos>|").contains(" 2|<eos>| 3|<eos>|");
    assertThat(program.run("preview", file.toString(), "--records", "0")).isEqualTo(2);
    assertThat(program.run("preview", file.toString(), "--part", "test")).isEqualTo(2);
    assertThat(program.run("preview", file.toString(), "--part", "validation")).isEqualTo(2);
    assertThat(program.err().toString()).contains("data.validation_fraction is 0");
  }

  @Test
  void saysWhatIsCutOff() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "0123456789".repeat(40));
    String shown =
        preview(
            runFile("sources: [%s], sequence_length: 128, validation_fraction: 0".formatted(text)),
            "--records",
            "1");
    assertThat(shown)
        .startsWith("3 sequences in the training part")
        .containsPattern("\\d+ before it are not in this sequence")
        .contains("behind it are not in this sequence");
    preview(chats(""), "--set", "data.sequence_length=32", "--set", "training.tokens_per_step=32");
    assertThat(program.err().toString())
        .contains("note     1 training chats are longer than data.sequence_length 32");
    assertThat(program.out().toString()).contains("before it are not in this sequence");
  }

  @Test
  void tellsWhatATemplateLeavesOut() throws IOException {
    Path template =
        Files.writeString(
            folder.resolve("t.jinja"),
            "{% for m in messages %}{{ m.role + ':' + m.content.split('</think>')[-1] }}"
                + "{{ eos_token if m.role == 'assistant' }}{% endfor %}"
                + "{{ 'assistant:' if add_generation_prompt }}");
    Path file =
        Files.writeString(
            folder.resolve("thoughts.jsonl"),
            """
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "<think>hm</think>Hello"}]}
            """);
    Path run =
        runFile(
            "sources: [%s], format: chat, chat_template: %s, sequence_length: 128, validation_fraction: 0"
                .formatted(file, template));
    assertThat(preview(run)).contains("user:Hiassistant:⟦Hello<eos>⟧");
    assertThat(program.err().toString())
        .contains("leaves out 17 characters of the assistant's turns that are to be learned, in 1")
        .contains("first in thoughts.jsonl#1");
  }
}
