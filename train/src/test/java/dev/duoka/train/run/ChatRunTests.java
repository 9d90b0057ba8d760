package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.run.SmallRun.Listener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fine-tuning on chats, most of which are longer than a sequence. */
class ChatRunTests {
  @TempDir Path folder;

  /** Questions of {@code words} words and answers of one, with every tenth question short. */
  private RunConfig config(int words, String... overrides) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int chat = 0; chat < 60; chat++) {
      String question = "word%d ".formatted(chat).repeat(chat % 10 == 0 ? 2 : words);
      lines
          .append("{\"messages\": [{\"role\": \"user\", \"content\": \"")
          .append(question)
          .append("\"}, {\"role\": \"assistant\", \"content\": \"yes\"}]}\n");
    }
    Path file = Files.writeString(folder.resolve("chats.jsonl"), lines);
    String run =
        """
        model: {preset: tiny-v3}
        data:
          sources: [%s]
          format: chat
          chat_template: plain
          sequence_length: 64
          validation_fraction: 0.2
          cache: %s
        training: {tokens_per_step: 256, micro_batch: 2, steps: 4}
        validation: {every_steps: 2, sequences: 4}
        device: cpu
        threads: 1
        """
            .formatted(file, folder.resolve("cache"));
    return RunFile.parse("chat.yaml", run, List.of(overrides));
  }

  private Listener run(String name, RunConfig config) {
    Listener listener = new Listener();
    SmallRun.run(config, folder.resolve(name), listener);
    return listener;
  }

  @Test
  void learnsTheAnswersOfChatsThatAreLongerThanASequence() throws IOException {
    Listener listener = run("long", config(40));
    assertThat(listener.losses()).hasSize(4).allMatch(loss -> loss > 3 && loss < 8);
    assertThat(listener.notices)
        .anyMatch(notice -> notice.contains("training chats are longer"))
        .anyMatch(notice -> notice.contains("validation chats are longer"));
  }

  @Test
  void theTemplateThatWasTrainedIsKeptAndExported() throws IOException {
    run("kept", config(1));
    Path model = folder.resolve("model");
    HuggingFaceExport.export(folder.resolve("kept"), model, WeightFormat.BF16, _ -> {});
    assertThat(ChatTemplate.beside(model).orElseThrow().jinja())
        .isEqualTo(ChatTemplate.named("plain").jinja());
    assertThat(Tokenizer.load(model.toString()).eosId()).isEqualTo(new ByteTokenizer().eosId());
  }

  @Test
  void aChatWithoutAnAnswerIsNamedAndCanBeLeftOut() throws IOException {
    RunConfig config = config(1);
    RunConfig skips = config(1, "data.on_bad_record=skip");
    Path chats = folder.resolve("chats.jsonl");
    Files.writeString(
        chats,
        Files.readString(chats) + "{\"messages\": [{\"role\": \"user\", \"content\": \"hm?\"}]}\n");
    assertThatThrownBy(() -> run("bad", config))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("chats.jsonl line 61")
        .hasMessageContaining("line 61: the chat has no answer of the assistant")
        .hasMessageContaining("data.on_bad_record to skip");
    Listener skipping = run("skipped", skips);
    assertThat(skipping.losses()).hasSize(4);
    assertThat(skipping.notices).anyMatch(notice -> notice.contains("chats.jsonl line 61"));
  }

  @ParameterizedTest
  @CsvSource({
    "{'messages': [{'role': 'assistant'; 'content': ''}]}, messages[0] says nothing",
    "{'messages': [{'role': 'assistant'; 'content': 3}]}, a number instead of a text"
  })
  void aRecordThatIsNoChatIsNamedByFileAndLine(String record, String problem) throws IOException {
    RunConfig config = config(1);
    RunConfig skips = config(1, "data.on_bad_record=skip");
    Path chats = folder.resolve("chats.jsonl");
    String json = record.replace(';', ',').replace('\'', '"');
    Files.writeString(chats, Files.readString(chats) + json + "\n");
    assertThatThrownBy(() -> run("bad", config))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(chats + " line 61: ")
        .hasMessageContaining(problem)
        .hasMessageNotContaining("#61")
        .hasMessageContaining("data.on_bad_record to skip");
    assertThat(run("skipped", skips).notices)
        .anyMatch(notice -> notice.contains(chats + " line 61"));
  }

  @Test
  void aWarmUpAsLongAsTheEpochsIsRefused() throws IOException {
    RunConfig config =
        config(40, "training.steps=null", "training.epochs=1", "schedule.warmup_steps=5000");
    assertThatThrownBy(() -> run("warm", config))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("schedule.warmup_steps 5000 leaves nothing of the run's");
  }

  @Test
  void aWarmUpAndADecayLongerThanTheEpochsAreRefused() throws IOException {
    RunConfig config =
        config(
            40,
            "training.steps=null",
            "training.epochs=1",
            "schedule={kind: warmup_stable_decay, warmup_steps: 2, decay_steps: 5000}");
    assertThatThrownBy(() -> run("decay", config))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("a warm-up of 2 steps and a decay of 5000 do not fit into the run's")
        .hasMessageContaining("More epochs are longer");
  }

  /** The ids of documents, which decide what is held out, are of the file's first name. */
  @Test
  void aRenamedSourceResumesAndStaysKnown() throws IOException {
    Path run = folder.resolve("renamed");
    RunConfig first = config(40, "training.steps=4", "validation.every_steps=0");
    SmallRun.run(first, run, new Listener(), 2, false);
    Path renamed = folder.resolve("other.jsonl");
    RunConfig moved =
        config(
            40, "training.steps=4", "validation.every_steps=0", "data.sources=['" + renamed + "']");
    Files.move(folder.resolve("chats.jsonl"), renamed);
    for (long end = 3; end <= 4; end++) {
      Listener listener = new Listener();
      SmallRun.run(moved, run, listener, end, true);
      assertThat(listener.steps).hasSize(1);
    }
    Files.writeString(renamed, Files.readString(renamed).replace("word1 ", "changed "));
    assertThatThrownBy(() -> SmallRun.run(moved, run, new Listener(), 4, true))
        .hasMessageContaining("data.sources is not what it was trained with");
  }

  @Test
  void whatWasSaidStaysInTheRunFolder() throws IOException {
    run("logged", config(40));
    assertThat(folder.resolve("logged/run.log"))
        .content()
        .contains("training chats are longer", "training tokens", "validation loss", "saved ");
  }

  @Test
  void packsChatsWhenAskedTo() throws IOException {
    String[] epoch = {"training.steps=null", "training.epochs=1"};
    Listener apart = run("apart", config(1, epoch));
    Listener packed = run("packed", config(1, epoch[0], epoch[1], "data.pack_chats=true"));
    // A chat is about 30 tokens, so about two share a sequence; an epoch sees all of them.
    assertThat(apart.notices)
        .anyMatch(notice -> notice.contains("% of the tokens in a step are padding"));
    assertThat(apart.notices).anyMatch(notice -> notice.contains("data.pack_chats: true"));
    assertThat(apart.description)
        .containsPattern("training tokens and [0-9,]+ of padding \\(\\d+ %\\)");
    assertThat(packed.steps.size()).isBetween(1, apart.steps.size() * 2 / 3);
  }

  @Test
  void refusesTextToBePacked() {
    assertThatThrownBy(() -> config(2, "data.format=text", "data.pack_chats=true"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("data.pack_chats is for chat data only");
  }

  @Test
  void saysThatTheTokenizerHasNoTemplate() throws IOException {
    RunConfig config = config(2, "data.chat_template=null");
    assertThatThrownBy(() -> run("none", config))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the tokenizer bytes brings no chat template")
        .hasMessageContaining("Set data.chat_template to a Jinja file, or to one of plain");
  }
}
