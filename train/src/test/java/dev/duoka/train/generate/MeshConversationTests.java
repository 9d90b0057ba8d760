package dev.duoka.train.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.Progress;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model that is shared out answers what the whole one answers, question after question. */
class MeshConversationTests {
  private static final long SEED = 7;
  private static final List<String> QUESTIONS = List.of("one", "two?", "x", "and four");

  @TempDir Path run;

  private Generator open(String mesh) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    return Generator.open(
        run,
        List.of(),
        Optional.empty(),
        parallel,
        DevicePlacement.choose(DeviceChoice.parse("cpu"), parallel.mesh()),
        TinyRun::refuse,
        Progress.NONE);
  }

  private static List<Conversation.Answer> answers(Generator generator) {
    Conversation conversation =
        new Conversation(generator, ChatTemplate.named("plain"), Sampling.greedy(8));
    conversation.system("s");
    List<Conversation.Answer> answers = new ArrayList<>();
    for (String question : QUESTIONS) {
      StringBuilder heard = new StringBuilder();
      Conversation.Answer answer = conversation.ask(question, heard::append);
      assertThat(heard.toString()).as(question).isEqualTo(answer.generation().text());
      answers.add(answer);
    }
    return answers;
  }

  private static List<List<Integer>> tokens(List<Conversation.Answer> answers) {
    return answers.stream().map(it -> it.generation().tokens()).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tiny-llama | tensor=2",
        "tiny-llama | pipeline=2",
        "tiny-v2 | tensor=2,pipeline=2",
        "tiny-v3 | data=2,tensor=2,expert=4",
      })
  void answersWhatOneRankAnswers(String preset, String mesh) {
    TinyRun.save(run, TinyRun.config(preset), SEED);
    List<Conversation.Answer> alone;
    try (Generator generator = Generator.open(run, Device.CPU, Dtype.FLOAT32, TinyRun::refuse)) {
      alone = answers(generator);
    }
    long before = MemoryLedger.of(Device.CPU).liveBytes();
    try (Generator generator = open(mesh)) {
      List<Conversation.Answer> shared = answers(generator);
      assertThat(tokens(shared)).isEqualTo(tokens(alone)).doesNotHaveDuplicates();
      for (int turn = 0; turn < QUESTIONS.size(); turn++) {
        Generation one = alone.get(turn).generation();
        Generation other = shared.get(turn).generation();
        assertThat(other.promptTokens()).isEqualTo(one.promptTokens());
        assertThat(other.end()).isEqualTo(one.end());
        assertThat(shared.get(turn).forgotten()).isEqualTo(alone.get(turn).forgotten());
      }
    }
    assertThat(MemoryLedger.of(Device.CPU).liveBytes()).isEqualTo(before);
  }

  @Test
  void ranksThatAFailureHasEndedAreLoadedAnew() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    IllegalArgumentException enough = new IllegalArgumentException("enough");
    try (Generator generator = open("tensor=2")) {
      List<Integer> tokens = generator.generate("a", Sampling.greedy(8), _ -> {}).tokens();
      assertThatThrownBy(
              () ->
                  generator.generate(
                      "a",
                      Sampling.greedy(8),
                      _ -> {
                        throw enough;
                      }))
          .isSameAs(enough);
      assertThat(generator.generate("a", Sampling.greedy(8), _ -> {}).tokens()).isEqualTo(tokens);
    }
  }

  @Test
  void aQuestionThatIsTooLongEndsNoRankAndClosingEndsThemAll() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    Generator closed;
    List<Thread> ranks;
    try (Generator generator = open("pipeline=2")) {
      closed = generator;
      ranks = ranks();
      assertThat(ranks).hasSize(2);
      String tooLong = "b".repeat(generator.config().maxPositions());
      assertThatThrownBy(() -> generator.generate(tooLong, Sampling.greedy(1), _ -> {}))
          .hasMessageContaining("Shorten the prompt");
      assertThat(generator.generate("a", Sampling.greedy(2), _ -> {}).tokens()).isNotEmpty();
      assertThat(ranks).allMatch(Thread::isAlive);
    }
    assertThat(ranks).noneMatch(Thread::isAlive);
    assertThatThrownBy(() -> closed.generate("a", Sampling.greedy(1), _ -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static List<Thread> ranks() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(it -> it.getName().startsWith("rank-"))
        .toList();
  }

  @Test
  void refusesAMeshThatCannotWrite() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    assertThatThrownBy(() -> open("tensor=3")).hasMessageContaining("heads do not divide");
    assertThatThrownBy(() -> open("tensor=2,zero=3"))
        .hasMessageContaining("parallel.zero is for training");
  }
}
