package dev.duoka.experiment.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.FakeTraining;
import dev.duoka.experiment.trial.Margins;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.layout.Layout;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.io.UncheckedIOException;
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
  private String folderOfTune = "tune";
  private Margins margins = Margins.of(List.of());

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
        .run(Search.through(candidates), _ -> {});
  }

  private Tuning tuning(double minutes, Consumer<String> notice, String... machine) {
    List<String> program = new ArrayList<>(FakeTraining.command());
    program.addAll(List.of(machine));
    return new Tuning(
        new ArmCommand(program, file),
        folder.resolve(folderOfTune),
        _ -> 1,
        128,
        minutes,
        margins,
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
        .isEqualTo("Nothing that was tried is certainly faster than the run file as it is.");
  }

  /** Where trials have shown what rounding does to the model, speed is not all. */
  @Test
  void whatLearnsWorseIsNotTheBest() throws InterruptedException {
    Candidate spoilt = of(FakeTraining.FAST).with("training.recompute", "full");
    assertThat(run(10, spoilt).best()).as("nothing is known of the model").isEqualTo(spoilt);
    margins = new Margins(margins.byQuantity(), Map.of(), 1);
    folderOfTune = "again";
    assertThat(run(10, spoilt).best()).isEqualTo(Candidate.AS_IT_IS);
  }

  /** Its memory is what tune is asked for then: the fastest one that fits is the end. */
  @Test
  void aRunFileThatCannotTrainIsNoReasonToStop() throws InterruptedException {
    Candidate fast = of(FakeTraining.FAST);
    Tuning tuning = tuning(10, notice -> assertThat(notice).isEmpty(), FakeTraining.ONLY_FAST_FITS);
    List<String> latest = new ArrayList<>();
    Tuned tuned =
        tuning.run(
            Search.through(List.of(Candidate.AS_IT_IS, fast, of(FakeTraining.SLOW))),
            soFar -> latest.add(TuneText.latest(soFar)));
    assertThat(tuned.best()).isEqualTo(fast);
    assertThat(tuned.judgements()).isEmpty();
    assertThat(latest)
        .first()
        .isEqualTo("as it is: there is no room")
        .satisfies(_ -> assertThat(latest.get(1)).doesNotContain("NaN"));
    assertThat(TuneText.of(tuned))
        .last()
        .isEqualTo(
            "The run file as it is cannot train here. The fastest, tried alone: "
                + FakeTraining.FAST);
  }

  @Test
  void nothingIsNamedWhereNothingFits() throws InterruptedException {
    Tuned tuned =
        tuning(10, notice -> assertThat(notice).isEmpty(), FakeTraining.ONLY_FAST_FITS)
            .run(Search.through(List.of(Candidate.AS_IT_IS, of(FakeTraining.SLOW))), _ -> {});
    assertThat(tuned.best()).isEqualTo(Candidate.AS_IT_IS);
    assertThat(TuneText.of(tuned)).last().isEqualTo("Nothing that was tried can train here.");
  }

  /** What was found before it stays, and the search goes on. */
  @Test
  void oneThatFailsOtherwiseIsAResult() throws InterruptedException {
    Candidate fast = of(FakeTraining.FAST);
    Tuned tuned = run(10, of(FakeTraining.WRONG), fast);
    assertThat(tuned.best()).isEqualTo(fast);
    assertThat(TuneText.of(tuned)).anyMatch(line -> line.endsWith("threads=6: this is wrong"));
  }

  @Test
  void aMistakeInTheRunFileIsNoResult() throws IOException {
    Files.writeString(
        file, Files.readString(file).replace("threads: 1", FakeTraining.WRONG.replace("=", ": ")));
    assertThatThrownBy(() -> run(10, of(FakeTraining.FAST)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot try as it is: this is wrong");
  }

  /** Those in turns that are not the best are told, too. */
  @Test
  void whatWasComparedIsToldWhereNothingWins() throws InterruptedException {
    margins = new Margins(margins.byQuantity(), Map.of(), 1);
    Candidate spoilt = of(FakeTraining.FAST).with("training.recompute", "full");
    Tuned tuned = run(10, spoilt);
    assertThat(tuned.best()).isEqualTo(Candidate.AS_IT_IS);
    assertThat(tuned.judgements()).isEmpty();
    assertThat(tuned.compared())
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.candidate()).isEqualTo(spoilt);
              assertThat(one.judgements())
                  .extracting(Judgement::verdict)
                  .contains(Verdict.BETTER, Verdict.WORSE);
            });
    assertThat(TuneText.of(tuned))
        .contains("In turns with the run file as it is, " + spoilt + ":")
        .anyMatch(line -> line.startsWith("  loss           worse"));
    assertThat(TuneText.json(tuned).path("compared").path(0).path("judgements")).hasSize(4);
  }

  @Test
  void nobodyWaitsForOneThatTakesManyTimesAsLong() {
    TuneBudget budget = new TuneBudget(10, 128);
    assertThat(budget.patience()).as("nothing has trained").isInfinite();
    budget.took(tried(Candidate.AS_IT_IS, 1), 10, 13);
    assertThat(budget.patience()).isEqualTo(60);
    budget.took(tried(of(FakeTraining.SLOW), 1), 40, 13);
    budget.took(full(of(FakeTraining.TOO_LARGE)), 400, 13);
    assertThat(budget.patience()).as("by those that have trained").isEqualTo(120);
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
    assertThat(TuneText.of(tuned)).last().isEqualTo("Nothing but the run file as it is was tried.");
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
        new LayoutSearch(
            file,
            RunFile.read(file, List.of()),
            List.of(tensor, odd, data),
            candidate ->
                switch (candidate.settings().getOrDefault("training.recompute", "unknown")) {
                  case "full" -> 1.3;
                  case "none", "unknown" -> 1;
                  default -> Double.NaN;
                });
    List<Candidate> first = search.next(List.of());
    assertThat(first)
        .extracting(Candidate::toString)
        .containsExactly("as it is", "parallel.data=1 parallel.tensor=2", "parallel.zero=1");
    List<Tuned.Tried> tried = new ArrayList<>();
    first.forEach(candidate -> tried.add(tried(candidate, tried.size())));
    List<Candidate> around = search.next(tried);
    assertThat(around)
        .extracting(candidate -> candidate.beside(of("parallel.zero=1")))
        .contains(
            List.of("training.micro_batch=2"),
            List.of("training.recompute=full"),
            List.of("parallel.blocks_per_bucket=2"),
            List.of("parallel.zero=3"))
        .doesNotContain(
            List.of("memory.offload=optimizer"), // from a CPU there is nowhere to go
            List.of("training.micro_batch=8"), // a rank has four sequences
            List.of("parallel.collectives=nccl")); // on a CPU
    assertThat(around)
        .filteredOn(candidate -> search.needless(candidate, tried).isPresent())
        .extracting(candidate -> candidate.settings().get("training.recompute"))
        .as("what is said to be too slow; what is not known is tried")
        .containsExactly("full");
    around.forEach(candidate -> tried.add(tried(candidate, 0)));
    assertThat(search.next(tried)).as("nothing around was faster").isEmpty();
  }

  /** Nothing that is planned fits, or nothing is: what takes less memory is found all the same. */
  @Test
  void whereNothingTrainsTheSearchGoesOnAroundTheRunFile() {
    LayoutSearch search =
        new LayoutSearch(file, RunFile.read(file, List.of()), List.of(), _ -> Double.NaN);
    List<Tuned.Tried> tried = new ArrayList<>();
    search.next(List.of()).forEach(candidate -> tried.add(full(candidate)));
    assertThat(tried).hasSize(1);
    List<Candidate> around = search.next(tried);
    assertThat(around)
        .extracting(Candidate::toString)
        .contains("training.recompute=full", "parallel.zero=3");
    assertThat(new Tuned(tried, Candidate.AS_IT_IS, List.of(), false).canTrain()).isFalse();
    for (Candidate candidate : around) {
      tried.add(
          candidate.toString().equals("training.recompute=full")
              ? tried(candidate, 1)
              : full(candidate));
    }
    assertThat(new Tuned(tried, Candidate.AS_IT_IS, List.of(), false).canTrain()).isTrue();
    assertThat(search.next(tried))
        .as("and then around what trains")
        .isNotEmpty()
        .allMatch(candidate -> candidate.toString().contains("training.recompute="));
  }

  @Test
  void theSearchEndsWhereNothingTrainsAtAll() {
    LayoutSearch search =
        new LayoutSearch(file, RunFile.read(file, List.of()), List.of(), _ -> Double.NaN);
    List<Tuned.Tried> tried = new ArrayList<>();
    for (int round = 0; round < 2; round++) {
      search.next(List.copyOf(tried)).forEach(candidate -> tried.add(full(candidate)));
    }
    assertThat(search.next(tried)).isEmpty();
  }

  private static Tuned.Tried full(Candidate candidate) {
    return new Tuned.Tried(candidate, Optional.empty(), 0, "there is no room");
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
    Tuned tuned = tuning(10, notice -> assertThat(notice).isEmpty()).run(search, _ -> {});
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
    Tuned tuned =
        tuning(10, notices::add).run(Search.through(List.of(Candidate.AS_IT_IS, large)), _ -> {});
    assertThat(notices).singleElement().asString().contains("do not fit on the device together");
    assertThat(tuned.best()).isEqualTo(large);
    assertThat(tuned.judgements())
        .extracting(Judgement::verdict)
        .containsExactly(Verdict.BETTER, Verdict.SAME, Verdict.NOT_ASKED, Verdict.NOT_ASKED);
  }

  /** What was found is known before the end, and what is needless costs nothing. */
  @Test
  void eachIsHeardOfAndWhatIsNeedlessIsNotTried() throws InterruptedException {
    Candidate wrong = of(FakeTraining.WRONG);
    Search search =
        new Search() {
          @Override
          public List<Candidate> next(List<Tuned.Tried> tried) {
            return tried.isEmpty() ? List.of(Candidate.AS_IT_IS, wrong) : List.of();
          }

          @Override
          public Optional<String> needless(Candidate candidate, List<Tuned.Tried> tried) {
            return candidate.equals(wrong) ? Optional.of("it is wrong") : Optional.empty();
          }
        };
    List<Tuned> heard = new ArrayList<>();
    tuning(10, notice -> assertThat(notice).isEmpty()).run(search, heard::add);
    assertThat(heard).extracting(tuned -> tuned.tried().size()).containsExactly(1, 2);
    assertThat(heard).as("who stops here has not seen the end").allMatch(Tuned::cutShort);
    assertThat(heard.getLast().tried().getLast().reason()).isEqualTo("it is wrong");
    assertThat(folder.resolve("tune/alone-1")).doesNotExist();
  }

  /** Steps of 1 s that start in 10 s: three arms of 40 steps want 150 s, and one more try 23. */
  @Test
  void theSearchLeavesTimeForTheComparison() {
    List<Tuned.Tried> tried =
        List.of(
            tried(Candidate.AS_IT_IS, 0),
            tried(of(FakeTraining.FAST), 0),
            tried(of(FakeTraining.SLOW), 0));
    assertThat(budget(2.8, tried).isSearchOver(tried)).isTrue();
    assertThat(budget(3, tried).isSearchOver(tried)).isFalse();
    List<Tuned.Tried> slow = new ArrayList<>(tried);
    slow.add(1, tried(of("threads=9"), -3));
    assertThat(budget(2.8, slow).isSearchOver(slow)).isTrue();
    assertThat(budget(3, slow).isSearchOver(slow)).as("a slow one is not compared").isFalse();
    List<Tuned.Tried> without = new ArrayList<>(tried);
    without.set(0, new Tuned.Tried(Candidate.AS_IT_IS, Optional.empty(), 0, "there is no room"));
    assertThat(budget(0.5, without).isSearchOver(without)).as("nothing is compared").isFalse();
    List<Tuned.Tried> two = tried.subList(1, 3);
    assertThat(budget(10, tried).turns(tried.getFirst(), two))
        .isEqualTo(new TuneBudget.Turns(2, 60));
    assertThat(budget(2.6, tried).turns(tried.getFirst(), two))
        .isEqualTo(new TuneBudget.Turns(2, 42 - 1));
    assertThat(budget(2, tried).turns(tried.getFirst(), two))
        .isEqualTo(new TuneBudget.Turns(1, 49));
    assertThat(budget(0, tried).turns(tried.getFirst(), two))
        .isEqualTo(new TuneBudget.Turns(1, 20));
  }

  private static TuneBudget budget(double minutes, List<Tuned.Tried> tried) {
    TuneBudget budget = new TuneBudget(minutes, 1);
    tried.forEach(one -> budget.took(one, 23, 13));
    return budget;
  }

  /** How many of a card's processors exchange is a question where NCCL does, once. */
  @Test
  void variablesOfNcclAreTriedWhereItExchanges() {
    List<String> cards = List.of("device=cuda:0,1", "threads=null", "parallel.collectives=nccl");
    List<String> more = new ArrayList<>(cards);
    more.add("environment.NCCL_MAX_CTAS=4");
    assertThat(nccl(cards))
        .containsExactly("environment.NCCL_MAX_CTAS=8", "environment.NCCL_MIN_CTAS=32");
    assertThat(nccl(more))
        .as("the run file says it")
        .containsExactly("environment.NCCL_MIN_CTAS=32");
    assertThat(nccl(List.of("device=cuda:0,1", "threads=null", "parallel.collectives=peer")))
        .isEmpty();
  }

  private List<String> nccl(List<String> overrides) {
    try {
      Path copy = folder.resolve("nccl.yaml");
      Files.writeString(copy, RunFile.write(RunFile.read(file, overrides)));
      return LayoutSettings.around(copy, RunFile.read(copy, List.of()), Candidate.AS_IT_IS).stream()
          .flatMap(candidate -> candidate.overrides().stream())
          .filter(override -> override.contains("NCCL"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
