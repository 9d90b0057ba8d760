package dev.duoka.experiment.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.FakeTraining;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class TuningTests {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeRunFile() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "text ".repeat(1000));
    file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, cache: %s}
            training: {tokens_per_step: 128, micro_batch: 4, steps: 1000}
            parallel: {data: 2}
            device: cpu
            threads: 1
            """
                .formatted(text, folder.resolve("cache")));
  }

  private Tuned run(double minutes, Candidate... others) throws InterruptedException {
    List<Candidate> candidates = new ArrayList<>(List.of(Candidate.AS_IT_IS));
    candidates.addAll(List.of(others));
    return new Tuning(
            new ArmCommand(FakeTraining.command(), file),
            folder.resolve("tune"),
            1,
            minutes,
            notice -> assertThat(notice).as("notice").isEmpty(),
            Progress.NONE)
        .run(candidates);
  }

  private static Candidate of(String override) {
    return new Candidate(Map.of(override.split("=")[0], override.split("=")[1]));
  }

  @Test
  void theFasterOneIsFoundAndAFullMemoryIsAResult() throws InterruptedException {
    Candidate fast = of(FakeTraining.FAST);
    Tuned tuned = run(10, of(FakeTraining.SLOW), fast, of(FakeTraining.TOO_LARGE));
    assertThat(tuned.best()).isEqualTo(fast);
    assertThat(tuned.judgements().getFirst().verdict()).isEqualTo(Verdict.BETTER);
    assertThat(tuned.tried()).extracting(Tuned.Tried::candidate).startsWith(fast);
    assertThat(tuned.tried().getLast().reason()).contains("there is no room");
    assertThat(tuned.cutShort()).isFalse();
    assertThat(TuneText.of(tuned))
        .anyMatch(line -> line.endsWith("threads=4: there is no room"))
        .contains("Best: training.micro_batch=1");
  }

  @Test
  void nothingIsBetterThanARunFileThatIsBest() throws InterruptedException {
    Tuned tuned = run(10, of(FakeTraining.SLOW));
    assertThat(tuned.best()).isEqualTo(Candidate.AS_IT_IS);
    assertThat(TuneText.of(tuned))
        .last()
        .isEqualTo("Nothing is faster than the run file as it is.");
  }

  @Test
  void aMistakeIsNoResult() {
    assertThatThrownBy(() -> run(10, of(FakeTraining.WRONG)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot try threads=6: this is wrong");
  }

  @Test
  void aRunThatIsTooShortIsRefused() {
    Tuning.requireLength(RunFile.read(file, List.of()));
    assertThatThrownBy(() -> Tuning.requireLength(RunFile.read(file, List.of("training.steps=62"))))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the run ends after 62 steps, and tuning after 63");
  }

  @Test
  void noneIsBegunWhenTheTimeIsOver() throws InterruptedException {
    Tuned tuned = run(0, of(FakeTraining.FAST));
    assertThat(tuned.cutShort()).isTrue();
    assertThat(tuned.tried()).hasSize(1);
  }

  /** Eight sequences on two ranks: micro-batches of 1, 2 and 4; threads that two ranks have. */
  @Test
  void choicesAreThoseThatTheRunFileAdmits() {
    List<Candidate> onCpu = Choices.of(file, RunFile.read(file, List.of()), true, 5);
    assertThat(onCpu)
        .extracting(Candidate::toString)
        .containsExactly(
            "as it is",
            "threads=2 training.micro_batch=4",
            "threads=2 training.micro_batch=2",
            "threads=2 training.micro_batch=1",
            "threads=1 training.micro_batch=2",
            "threads=1 training.micro_batch=1");
    List<Candidate> onGpus = Choices.of(file, RunFile.read(file, List.of()), false, 5);
    assertThat(onGpus)
        .extracting(Candidate::toString)
        .contains("training.micro_batch=2 training.recompute=selective parallel.zero=3")
        .doesNotContain("training.micro_batch=4 training.recompute=none parallel.zero=0");
  }
}
