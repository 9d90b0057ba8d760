package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.generate.Conversation;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.Sampling;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations with a model that has hardly learned anything. */
final class ConversationTests {
  @TempDir static Path folder;

  private static Generator generator;

  @BeforeAll
  static void trainAModel() throws IOException {
    Path run = folder.resolve("run");
    SmallRun.run(
        SmallRun.config(folder, "training.steps=1", "schedule.warmup_steps=0"),
        run,
        new SmallRun.Listener());
    generator = Generator.open(run, Device.CPU, Dtype.FLOAT32, _ -> {});
  }

  @AfterAll
  static void close() {
    generator.close();
  }

  private static Conversation conversation(int tokens) {
    return new Conversation(
        generator, ChatTemplate.named("plain"), new Sampling(0, 0, 1, 1, tokens));
  }

  @Test
  void eachQuestionKnowsThoseBefore() {
    Conversation conversation = conversation(4);
    StringBuilder heard = new StringBuilder();
    Conversation.Answer first = conversation.ask("one", heard::append);
    assertThat(heard.toString()).isEqualTo(first.generation().text());
    int alone = conversation(4).ask("two", _ -> {}).generation().promptTokens();
    Conversation.Answer second = conversation.ask("two", _ -> {});
    assertThat(second.generation().promptTokens())
        .isGreaterThanOrEqualTo(alone + first.generation().promptTokens());
    conversation.clear();
    assertThat(conversation.ask("two", _ -> {}).generation().promptTokens()).isEqualTo(alone);
    conversation.system("be short");
    assertThat(conversation.ask("two", _ -> {}).generation().promptTokens())
        .isGreaterThan(second.generation().promptTokens());
  }

  @Test
  void theOldestAreForgottenWhenTheModelIsFull() {
    int positions = generator.config().maxPositions();
    Conversation conversation = conversation(2);
    String question = "x".repeat(positions / 3);
    assertThat(conversation.ask(question, _ -> {}).forgotten()).isZero();
    assertThat(conversation.ask(question, _ -> {}).forgotten()).isZero();
    assertThat(conversation.ask(question, _ -> {}).forgotten()).isEqualTo(1);
    int before = conversation.ask("y", _ -> {}).generation().promptTokens();
    assertThatThrownBy(() -> conversation.ask("x".repeat(positions), _ -> {}))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("Shorten the prompt");
    assertThat(conversation.ask("y", _ -> {}).generation().promptTokens())
        .as("what was refused was not said, and has pushed nothing out")
        .isBetween(before, before + 40);
  }
}
