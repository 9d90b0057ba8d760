package dev.duoka.experiment.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.FakeTraining;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.layout.Layout;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
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
    return tuning(minutes, notice -> assertThat(notice).as("notice").isEmpty())
        .run(Search.through(candidates));
  }

  private Tuning tuning(double minutes, Consumer<String> notice) {
    return new Tuning(
        new ArmCommand(FakeTraining.command(), file),
        folder.resolve("tune"),
        _ -> 1,
        minutes,
        notice,
        Progress.NONE);
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
    assertThat(tuned.fastestFirst()).extracting(Tuned.Tried::candidate).startsWith(fast);
    assertThat(tuned.fastestFirst().getLast().reason()).contains("there is no room");
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
    List<Candidate> onCpu = Choices.of(file, RunFile.read(file, List.of()), 5);
    assertThat(onCpu)
        .extracting(Candidate::toString)
        .containsExactly(
            "as it is",
            "threads=2 training.micro_batch=4",
            "threads=2 training.micro_batch=2",
            "threads=2 training.micro_batch=1",
            "threads=1 training.micro_batch=2",
            "threads=1 training.micro_batch=1");
  }

  /** Layouts that the run file admits, then what differs from the fastest in one setting. */
  @Test
  void layoutsComeFirstAndThenWhatIsAroundTheFastest() {
    Layout data = RunFile.read(file, List.of("parallel.zero=1")).layout();
    Layout tensor = RunFile.read(file, List.of("parallel.data=1", "parallel.tensor=2")).layout();
    Layout odd =
        RunFile.read(
                file,
                List.of("training.micro_batch=3", "training.tokens_per_step=96", "parallel.data=1"))
            .layout();
    LayoutSearch search =
        new LayoutSearch(file, RunFile.read(file, List.of()), List.of(tensor, odd, data));
    List<Candidate> first = search.next(List.of());
    assertThat(first)
        .containsExactly(Candidate.AS_IT_IS, LayoutSettings.of(tensor), LayoutSettings.of(data));
    List<Tuned.Tried> tried = new ArrayList<>();
    first.forEach(candidate -> tried.add(tried(candidate, tried.size())));
    List<Candidate> around = search.next(tried);
    assertThat(around)
        .extracting(candidate -> candidate.beside(LayoutSettings.of(data)))
        .contains(
            List.of("training.micro_batch=2"),
            List.of("training.recompute=full"),
            List.of("parallel.zero=3"),
            List.of("memory.offload=optimizer"))
        .doesNotContain(
            List.of("training.micro_batch=8"), // a rank has four sequences
            List.of("parallel.collectives=nccl")); // on a CPU
    around.forEach(candidate -> tried.add(tried(candidate, 0)));
    assertThat(search.next(tried)).as("nothing around was faster").isEmpty();
  }

  private static Tuned.Tried tried(Candidate candidate, double logSpeed) {
    return new Tuned.Tried(candidate, Optional.of(Interval.exact(logSpeed)), 1, "");
  }

  @Test
  void aSearchGoesOnAsLongAsSomethingIsFaster() throws InterruptedException {
    Candidate fast = of(FakeTraining.FAST);
    Candidate slow = of(FakeTraining.SLOW);
    Search search =
        tried ->
            switch (tried.size()) {
              case 0 -> List.of(Candidate.AS_IT_IS);
              case 1 -> List.of(slow, fast);
              default -> List.of();
            };
    Tuned tuned = tuning(10, notice -> assertThat(notice).isEmpty()).run(search);
    assertThat(tuned.best()).isEqualTo(fast);
    assertThat(tuned.climb())
        .extracting(Tuned.Tried::candidate)
        .containsExactly(Candidate.AS_IT_IS, fast);
    assertThat(TuneText.of(tuned))
        .contains("What each choice brought, tried alone:")
        .anyMatch(line -> line.matches("  +\\+[45]\\.\\d %  training.micro_batch=1"));
  }

  /** Large models: neither in turns nor in halves, but whole runs in the order ABBA. */
  @Test
  void whatDoesNotFitBesideTheRunFileIsComparedByWholeRuns() throws InterruptedException {
    List<String> notices = new ArrayList<>();
    Candidate large = of(FakeTraining.FAST).with("threads", "3");
    Tuned tuned = tuning(10, notices::add).run(Search.through(List.of(Candidate.AS_IT_IS, large)));
    assertThat(notices).singleElement().asString().contains("do not fit on the device together");
    assertThat(tuned.best()).isEqualTo(large);
    assertThat(tuned.judgements())
        .extracting(Judgement::verdict)
        .containsExactly(Verdict.BETTER, Verdict.SAME, Verdict.NOT_ASKED, Verdict.NOT_ASKED);
  }
}
