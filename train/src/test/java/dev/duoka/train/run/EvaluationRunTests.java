package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.evaluate.ShownAnswer;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.run.SmallRun.Listener;
import dev.duoka.train.step.PairFigures;
import dev.duoka.train.step.RankBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run whose model learns to answer "yes", and is asked meanwhile. */
class EvaluationRunTests {
  @TempDir Path folder;

  @BeforeEach
  void write() throws IOException {
    StringBuilder chats = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      chats.append("{\"prompt\": \"q%d\", \"completion\": \"yes\"}%n".formatted(i));
    }
    Files.writeString(folder.resolve("chats.jsonl"), chats);
    Files.writeString(
        folder.resolve("choose.jsonl"),
        """
        {"prompt": "q3", "choices": ["zzz", "yes"], "answer": 1}
        {"prompt": "q4", "choices": ["yes", "zzz"], "answer": "A"}
        {"messages": [{"role": "user", "content": "q5"}], "choices": ["qqq", "yes"], "answer": "yes"}
        """);
    Files.writeString(
        folder.resolve("write.jsonl"),
        """
        {"prompt": "q3", "answer": "yes"}
        {"prompt": "q4", "answer": ["never", " yes "]}
        """);
  }

  private RunConfig config(String... overrides) {
    String run =
        """
        model:
          preset: tiny-v3
          overrides: {num_nextn_predict_layers: 0, num_hidden_layers: 2, first_k_dense_replace: 2}
        data:
          sources: [%s]
          format: chat
          chat_template: plain
          sequence_length: 48
          validation_fraction: 0.2
          cache: %s
        training: {tokens_per_step: 384, micro_batch: 4, steps: 120}
        optimizer: {learning_rate: 5e-3}
        schedule: {kind: constant}
        validation:
          every_steps: 60
          sequences: 4
          answers: 2
          answer_tokens: 8
          tasks:
            - {path: %s}
            - {path: %s, kind: exact, name: written}
        device: cpu
        threads: 1
        """
            .formatted(
                folder.resolve("chats.jsonl"),
                folder.resolve("cache"),
                folder.resolve("choose.jsonl"),
                folder.resolve("write.jsonl"));
    return RunFile.parse("asked.yaml", run, List.of(overrides));
  }

  private Listener run(String name, RunConfig config, boolean resume) {
    Listener listener = new Listener();
    SmallRun.run(config, folder.resolve(name), listener, 0, resume);
    return listener;
  }

  @Test
  void whatTheModelLearnsIsSeenInItsAnswers() throws IOException {
    Listener listener = run("asked", config(), false);
    ValidationResult last = listener.validations.getLast();
    assertThat(last.numbers()).containsAllEntriesOf(Map.of("choose", 1.0, "written", 1.0));
    assertThat(last.answers()).hasSize(2);
    ShownAnswer answer = last.answers().getFirst();
    assertThat(answer.prompt()).contains("q");
    assertThat(answer.expected().strip()).isEqualTo("yes");
    assertThat(answer.answer().strip()).isEqualTo("yes");
    assertThat(answer.ended()).as("by the end of its turn").isTrue();
    assertThat(Files.readString(folder.resolve("asked").resolve(AnswersFile.NAME)))
        .contains("\"step\":60,")
        .contains("\"expected\":\" yes\",\"answer\":\" yes\",\"ended\":true");
    assertThat(Files.readString(folder.resolve("asked").resolve(MetricsFile.NAME)))
        .contains("\"validation\":{\"choose\":1.0,\"written\":1.0}");
  }

  @Test
  void givenAnswersBecomeLikely() throws IOException {
    Path said =
        Files.writeString(
            folder.resolve("said.jsonl"),
            """
            {"prompt": "q3", "answer": "yes"}
            {"messages": [{"role": "user", "content": "q5"}], "answer": "yes"}
            """);
    String tasks = "validation.tasks=[{path: %s, kind: perplexity}]".formatted(said);
    double few = said(run("few", config(tasks, "training.steps=10"), false));
    double two = said(run("two", config(tasks, "training.steps=10", "parallel.data=2"), false));
    double many = said(run("many", config(tasks), false));
    assertThat(two).isCloseTo(few, within(1e-3 * few));
    assertThat(many).isGreaterThanOrEqualTo(1).isLessThan(1.1).isLessThan(few);
    assertThat(config(tasks, "validation.best_by=said").validation().largestIsBest()).isFalse();
    Files.writeString(said, "{\"prompt\": \"q3\", \"answer\": [\"yes\", \"no\"]}\n");
    assertThatThrownBy(() -> run("many", config(tasks), false))
        .hasMessageContaining("said.jsonl line 1 has not one 'answer'");
  }

  private static double said(Listener listener) {
    return Objects.requireNonNull(listener.validations.getLast().numbers().get("said"));
  }

  @Test
  void ranksAreAskedTogether() {
    Listener one = run("one", config("training.steps=10"), false);
    Listener two =
        run("two", config("training.steps=10", "parallel.data=2", "parallel.zero=3"), false);
    assertThat(two.validations.getLast().answers()).isEqualTo(one.validations.getLast().answers());
  }

  @Test
  void endsWhenNothingImprovesAndKeepsTheBest() throws IOException {
    // The share of right choices is at most 1: from then on nothing is better.
    RunConfig config =
        config(
            "validation.best_by=choose",
            "validation.every_steps=4",
            "validation.stop_after=3",
            "validation.keep_best=true",
            "validation.answers=0",
            "checkpoint={every_steps: 2, keep: 1}",
            "training.steps=200");
    Listener listener = run("early", config, false);
    int validations = listener.validations.size();
    assertThat(validations).isLessThan(50);
    assertThat(listener.steps).hasSize(4 * validations);
    assertThat(listener.notices)
        .anyMatch(it -> it.contains("3 validations were no better than that after step"));
    int best = 4 * (validations - 3);
    try (Stream<Path> kept = Files.list(folder.resolve("early").resolve("checkpoints"))) {
      assertThat(kept.map(it -> it.getFileName().toString()).filter(it -> it.startsWith("step")))
          .hasSize(2)
          .anyMatch(it -> it.endsWith(String.valueOf(best)))
          .anyMatch(it -> it.endsWith(String.valueOf(4 * validations)));
    }
    // It stays at its end.
    assertThat(run("early", config, true).steps).isEmpty();
  }

  /** Who stops within a validation loses none: it is made when the run goes on. */
  @ParameterizedTest
  @ValueSource(longs = {4, 8})
  void aValidationThatWasStoppedIsMadeWhenTheRunGoesOn(long steps) throws IOException {
    RunConfig config =
        config(
            "validation.every_steps=4",
            "validation.keep_best=true",
            "checkpoint={every_steps: 100, keep: 1}",
            "training.steps=" + steps);
    Listener whole = run("whole", config, false);
    Listener stopped =
        new Listener() {
          @Override
          public void reached(String what, long done, long total) {
            if (what.equals("asking the model")) {
              stopTrainer();
            }
          }
        };
    RunResult result = SmallRun.run(config, folder.resolve("stopped"), stopped, 0, false);
    assertThat(result.interrupted()).isTrue();
    assertThat(stopped.validations).isEmpty();
    Listener resumed = new Listener();
    RunResult after = SmallRun.run(config, folder.resolve("stopped"), resumed, 0, true);
    assertThat(resumed.validations).hasSize((int) steps / 4).isEqualTo(whole.validations);
    assertThat(after.best()).isPresent();
    assertThat(validations("stopped")).isEqualTo(validations("whole")).hasSize((int) steps / 4);
    assertThat(run("stopped", config, true).validations).as("made once").isEmpty();
  }

  private List<String> validations(String run) throws IOException {
    return Files.readAllLines(folder.resolve(run).resolve(MetricsFile.NAME)).stream()
        .filter(line -> line.contains("validation_loss"))
        .map(line -> line.replaceAll(",\"time\":.*", ""))
        .toList();
  }

  @Test
  void whatCannotBeAskedIsRefusedBeforeTheRun() throws IOException {
    assertThatThrownBy(() -> config("validation.best_by=chose"))
        .hasMessageContaining("'chose', which is not measured")
        .hasMessageContaining("choose");
    assertThatThrownBy(() -> config("validation.every_steps=0"))
        .hasMessageContaining("nothing is ever measured");
    Files.writeString(
        folder.resolve("choose.jsonl"),
        "{\"prompt\": \"q3\", \"choices\": [\"a\", \"b\"], \"answer\": \"c\"}\n");
    assertThatThrownBy(() -> run("wrong", config(), false))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("choose.jsonl line 1")
        .hasMessageContaining("none of its 2 choices");
  }

  /** The template refuses one question; it is named before anything is written. */
  @Test
  void whatATemplateRefusesIsFoundBeforeTheRun() throws IOException {
    Path template =
        Files.writeString(
            folder.resolve("chat.jinja"),
            """
            {%- for m in messages -%}
              {%- if m.content == 'q4' -%}{{ raise_exception('no fours') }}{%- endif -%}
              {{ m.role }}: {{ m.content }}{{ eos_token if m.role == 'assistant' else ' ' }}
            {%- endfor -%}
            {%- if add_generation_prompt -%}assistant: {%- endif -%}
            """);
    assertThatThrownBy(() -> run("refused", config("data.chat_template=" + template), false))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("task 'choose' cannot ask question")
        .hasMessageContaining("choose.jsonl line 2")
        .hasMessageContaining("no fours");
    assertThat(folder.resolve("refused")).doesNotExist();
    Files.writeString(folder.resolve("choose.jsonl"), "\n");
    assertThatThrownBy(() -> run("refused", config(), false))
        .hasMessageContaining("has no question")
        .hasMessageContaining("{\"prompt\": \"1+1?\", \"choices\"");
    Files.writeString(
        folder.resolve("choose.jsonl"),
        "{\"prompt\": \"q\", \"choices\": [\"%s\", \"b\"], \"answer\": 0}%n"
            .formatted("x".repeat(60)));
    assertThatThrownBy(() -> run("refused", config(), false))
        .hasMessageContaining("choice 0")
        .hasMessageContaining("data.sequence_length 48");
  }

  @Test
  void questionsThatAreCutAreToldOnceAndShownAsAsked() throws IOException {
    String asked = "{\"prompt\": \"%s end\", \"answer\": \"yes\"}%n".formatted("long ".repeat(20));
    Files.writeString(folder.resolve("write.jsonl"), asked);
    Files.writeString(
        folder.resolve("chats.jsonl"),
        Files.readString(folder.resolve("chats.jsonl")).replace("q", "a question of some words q"));
    Listener listener =
        run(
            "cut",
            config("training.steps=2", "validation.every_steps=1", "validation.answer_tokens=30"),
            false);
    assertThat(listener.notices)
        .filteredOn(
            it -> it.startsWith("task written: 1 of 1 question do not fit into the 18 tokens"))
        .hasSize(1);
    assertThat(listener.notices)
        .filteredOn(it -> it.startsWith("validation.answers: 2 of 2 questions do not fit"))
        .hasSize(1);
    String prompt = listener.validations.getLast().answers().getFirst().prompt();
    assertThat(prompt)
        .hasSizeLessThanOrEqualTo(18 + "<|begin|>".length())
        .doesNotContain("a question");
    assertThat(Files.readString(folder.resolve("cut").resolve(AnswersFile.NAME)))
        .doesNotContain("a question");
  }

  /** What a run takes again is not there twice; a rollback sets it aside. */
  @Test
  void answersAreCutWithTheMetrics() throws IOException {
    RunConfig config =
        config(
            "training.steps=6", "validation.every_steps=2", "checkpoint={every_steps: 2, keep: 5}");
    run("taken", config, false);
    Path run = folder.resolve("taken");
    Path answers = run.resolve(AnswersFile.NAME);
    String all = Files.readString(answers);
    assertThat(all.lines()).hasSize(6);
    Files.writeString(answers, all + "{\"step\":7,\"answer\":\"of a step that was not saved\"}\n");
    run(
        "taken",
        config(
            "training.steps=8", "validation.every_steps=2", "checkpoint={every_steps: 2, keep: 5}"),
        true);
    assertThat(Files.readString(answers)).startsWith(all).doesNotContain("\"step\":7");
    assertThat(Files.readString(answers).lines()).hasSize(8);

    RunFolder.rollBack(run, OptionalLong.of(4), _ -> {});
    assertThat(Files.readString(answers).lines()).hasSize(4);
    try (Stream<Path> aside = Files.list(run.resolve("set-aside"))) {
      assertThat(Files.readAllLines(aside.findFirst().orElseThrow().resolve(AnswersFile.NAME)))
          .hasSize(4)
          .allMatch(line -> line.startsWith("{\"step\":6,") || line.startsWith("{\"step\":8,"));
    }
  }

  @Test
  void theBestBeginsAnewWhereItIsJudgedByAnotherNumber() throws IOException {
    String[] common = {
      "validation.every_steps=2", "validation.keep_best=true", "validation.answers=0"
    };
    run(
        "best",
        config(common[0], common[1], common[2], "training.steps=4", "validation.best_by=choose"),
        false);
    Listener same =
        run(
            "best",
            config(
                common[0], common[1], common[2], "training.steps=6", "validation.best_by=choose"),
            true);
    assertThat(same.notices).noneMatch(it -> it.contains("the best begins anew"));
    Listener other = run("best", config(common[0], common[1], common[2], "training.steps=8"), true);
    assertThat(other.notices)
        .anyMatch(
            it ->
                it.startsWith("the best step was judged by the largest choose (step ")
                    && it.contains("now judged by the smallest validation_loss"));
    Path saved = folder.resolve("best").resolve("checkpoints").resolve("step-00000008");
    assertThat(Files.readString(saved.resolve("state.json")))
        .contains("\"best_step\" : 8.0", "\"best_by\" : \"the smallest validation_loss\"");
  }

  @Test
  void noSourceOrTaskIsCalledLikeANumberOfEachRun() {
    assertThatThrownBy(
            () ->
                config(
                    "validation.tasks=[{path: %s, name: accuracy}]"
                        .formatted(folder.resolve("choose.jsonl"))))
        .hasMessageContaining("a task is called 'accuracy'")
        .hasMessageContaining("taken are loss, validation_loss, accuracy, reward_chosen");
    assertThatThrownBy(
            () ->
                config(
                    "data.sources=[{path: %s, name: loss}]"
                        .formatted(folder.resolve("chats.jsonl"))))
        .hasMessageContaining("a source is called 'loss'");
    assertThat(ValidationSettings.TAKEN)
        .containsAll(PairFigures.of(List.of(1.0, 1.0, 1.0, 1.0), 1).keySet());
  }

  /** Asked are two sequences at once, where a step has one: that is more than a step. */
  @Test
  void whatIsAskedIsInThePrediction() throws IOException {
    Files.writeString(
        folder.resolve("choose.jsonl"),
        "{\"prompt\": \"%s\", \"choices\": [\"yes\", \"no\"], \"answer\": 0}%n"
            .formatted("long ".repeat(20)));
    RunConfig config =
        config(
            "training={tokens_per_step: 96, micro_batch: 1, steps: 4, recompute: full}",
            "validation.every_steps=2",
            "checkpoint={every_steps: 0, final: false}",
            "model.overrides={num_nextn_predict_layers: 0, num_hidden_layers: 2,"
                + " first_k_dense_replace: 2, hidden_size: 16, intermediate_size: 16, vocab_size:"
                + " 9000}");
    run("predicted", config, false);
    Path run = folder.resolve("predicted");
    Path file = run.resolve(PredictionFile.name(0));
    long predicted =
        PredictionFile.parse(Files.readAllBytes(file), "prediction")
            .prediction()
            .ranks()
            .getFirst()
            .values()
            .stream()
            .mapToLong(Long::longValue)
            .sum();
    long step =
        StepMemory.of(
                new RankBuilder(config, ModelSource.config(config.model()), null).plan(0),
                Device.CPU,
                false)
            .need()
            .bytes();
    assertThat(predicted).isGreaterThan(step);
    // A rank that may hold no more than what is said can do all of it.
    try {
      System.setProperty("duoka.rankMemory", Long.toString(Math.round(1.03 * predicted)));
      assertThat(run("enough", config, false).validations).hasSize(2);
    } finally {
      System.clearProperty("duoka.rankMemory");
    }
  }
}
