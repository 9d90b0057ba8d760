package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.evaluate.ShownAnswer;
import dev.duoka.train.run.SmallRun.Listener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
