package dev.duoka.experiment.trial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.FakeTraining;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Trials of a program that only says what it would have measured. */
@Timeout(120)
final class TrialTests {
  @TempDir Path folder;
  private Path file;
  private final List<String> notices = new ArrayList<>();

  @BeforeEach
  void writeRunFile() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "text ".repeat(1000));
    file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, cache: %s}
            training: {tokens_per_step: 64, micro_batch: 2, steps: 1000}
            device: cpu
            threads: 1
            """
                .formatted(text, folder.resolve("cache")));
  }

  private TrialResult run(Optional<Path> from, boolean itself, int steps, String... change)
      throws InterruptedException {
    return run(List.of(), from, itself, steps, change);
  }

  private TrialResult run(
      List<TrialResult> known, Optional<Path> from, boolean itself, int steps, String... change)
      throws InterruptedException {
    return run(FakeTraining.command(), known, from, itself, steps, change);
  }

  private TrialResult run(
      List<String> program,
      List<TrialResult> known,
      Optional<Path> from,
      boolean itself,
      int steps,
      String... change)
      throws InterruptedException {
    TrialRequest request =
        new TrialRequest(
            file, List.of(change), steps, from, Optional.empty(), itself, folder.resolve("trial"));
    return new Trial(request, program, notices::add, Progress.NONE).run(known);
  }

  private static Map<Quantity, Verdict> verdicts(List<Judgement> judgements) {
    return judgements.stream().collect(Collectors.toMap(Judgement::quantity, Judgement::verdict));
  }

  @Test
  void aSlowerArmIsRolledBack() throws InterruptedException {
    TrialResult result = run(Optional.empty(), true, 60, FakeTraining.SLOW);
    assertThat(verdicts(result.judgements()))
        .isEqualTo(
            Map.of(
                Quantity.SPEED, Verdict.WORSE,
                Quantity.MEMORY, Verdict.WORSE,
                Quantity.LOSS, Verdict.SAME,
                Quantity.GRADIENT_NORM, Verdict.SAME));
    assertThat(result.judgements().get(0).interval().orElseThrow().estimate())
        .isBetween(-0.045, -0.035);
    assertThat(result.judgements().get(1).interval().orElseThrow().estimate())
        .as("110 bytes after 100: what the driver counts is not of the tensors")
        .isCloseTo(0.1, Offset.offset(1e-9));
    assertThat(verdicts(result.itself().orElseThrow()).values()).containsOnly(Verdict.SAME);
    assertThat(result.decision()).isEqualTo(TrialResult.Decision.ROLL_BACK);
    assertThat(result.changes()).containsExactly("threads: 1 → 2");
  }

  /** A run file that is faster beside itself says that a change need not be why it is, too. */
  @Test
  void whereProcessesDifferNothingIsSaidOfSpeed() throws InterruptedException {
    List<String> program = new ArrayList<>(FakeTraining.command());
    program.add(FakeTraining.LATER_IS_FASTER);
    TrialResult result =
        run(program, List.of(), Optional.empty(), true, 60, "training.micro_batch=1");
    assertThat(verdicts(result.itself().orElseThrow()))
        .containsEntry(Quantity.SPEED, Verdict.BETTER);
    assertThat(result.judgements().getFirst().verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
    assertThat(result.judgements().getFirst().interval().orElseThrow().low()).isPositive();
    assertThat(result.judgements().getFirst().reason())
        .isEqualTo("processes of the run file as it is differ in speed here");
    assertThat(result.decision()).isEqualTo(TrialResult.Decision.UNDECIDED);
  }

  /** Smaller gradients are neither good nor bad. */
  @Test
  void aGradientNormDecidesNothing() throws InterruptedException {
    TrialResult result = run(Optional.empty(), true, 60, "training.micro_batch=1");
    List<Judgement> judgements = new ArrayList<>(result.judgements());
    judgements.set(
        3, Judgement.of(Quantity.GRADIENT_NORM, new Interval(-0.4, -0.3, -0.2, 0.1), 0.01, 0, ""));
    assertThat(verdicts(judgements)).containsEntry(Quantity.GRADIENT_NORM, Verdict.BETTER);
    judgements.set(0, Judgement.of(Quantity.SPEED, Interval.exact(0), 0.01, ""));
    judgements.set(1, Judgement.of(Quantity.MEMORY, Interval.exact(0), 0.01, ""));
    assertThat(of(result, judgements).decision()).isEqualTo(TrialResult.Decision.NO_REASON);
    judgements.set(1, Judgement.of(Quantity.MEMORY, Interval.exact(0.5), 0.01, ""));
    assertThat(of(result, judgements).decision()).isEqualTo(TrialResult.Decision.ROLL_BACK);
  }

  private static TrialResult of(TrialResult like, List<Judgement> judgements) {
    return new TrialResult(
        like.time(),
        like.runFile(),
        like.model(),
        like.change(),
        like.changes(),
        like.first(),
        like.steps(),
        judgements,
        like.itself(),
        like.cannotRun(),
        like.folder());
  }

  /** Each arm writes down when it took which step. */
  @Test
  void armsTakeTurns() throws Exception {
    run(Optional.empty(), false, 20, FakeTraining.SLOW);
    TurnPlan plan = TurnPlan.of(0, 20);
    assertThat(plan.turns(2))
        .containsExactly(
            new TurnPlan.Turn(0, 8),
            new TurnPlan.Turn(1, 8),
            new TurnPlan.Turn(1, 13),
            new TurnPlan.Turn(0, 13),
            new TurnPlan.Turn(0, 18),
            new TurnPlan.Turn(1, 18),
            new TurnPlan.Turn(1, 23),
            new TurnPlan.Turn(0, 23));
    for (String arm : List.of("as-it-is", "changed")) {
      assertThat(Files.readAllLines(folder.resolve("trial").resolve(arm).resolve("order")))
          .hasSize(23)
          .first()
          .isEqualTo(arm + " 1");
    }
  }

  @Test
  void aRunFileIsComparedWithItself() throws InterruptedException {
    TrialResult result = run(Optional.empty(), true, 60);
    assertThat(verdicts(result.judgements()).values()).containsOnly(Verdict.SAME);
    assertThat(result.decision()).isEqualTo(TrialResult.Decision.NO_REASON);
    assertThat(TrialResult.isKnown(file, 60, List.of(result))).isTrue();
    assertThat(TrialResult.isKnown(file, 60, List.of())).isFalse();
    assertThat(TrialResult.isKnown(file, 64, List.of(result))).as("60 in whole blocks").isTrue();
    assertThat(TrialResult.isKnown(file, 65, List.of(result))).isFalse();
  }

  /** What lies there is of an earlier trial, or the user's own run file. */
  @Test
  void aRunFileInTheFolderIsNotWrittenOver() throws IOException {
    Path own =
        Files.writeString(
            Files.createDirectories(folder.resolve("trial")).resolve("run.yaml"), "mine");
    assertThatThrownBy(() -> run(Optional.empty(), false, 20, FakeTraining.SLOW))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(own + " is there already");
    assertThat(own).hasContent("mine");
  }

  /** They take halves, from their own states. */
  @Test
  void armsThatDoNotFitTogetherTakeHalves() throws InterruptedException {
    TrialResult result = run(Optional.empty(), true, 40, FakeTraining.LARGE);
    assertThat(notices)
        .singleElement()
        .asString()
        .startsWith("the arms do not fit on the device together: they take turns of 20 steps");
    assertThat(verdicts(result.judgements()).values()).containsOnly(Verdict.SAME);
    assertThat(result.itself()).isEmpty();
  }

  /** Memory that runs out in the first step, beside the other arm, is no fault of the change. */
  @Test
  void armsWhoseStepsDoNotFitTogetherTakeHalves() throws InterruptedException {
    TrialResult result = run(Optional.empty(), true, 40, FakeTraining.LARGE_STEP);
    assertThat(result.cannotRun()).isEmpty();
    assertThat(notices).singleElement().asString().startsWith("the arms do not fit");
    assertThat(verdicts(result.judgements()).values()).containsOnly(Verdict.SAME);
  }

  @Test
  void whatATrialSetsItselfCannotBeTried() {
    assertThatThrownBy(() -> run(Optional.empty(), false, 20, "logging.every_steps=7"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("logging.every_steps cannot be tried");
    assertThatThrownBy(() -> run(Optional.empty(), false, 20, "threads=1"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("threads=1 changes nothing");
    assertThatThrownBy(() -> run(Optional.empty(), false, 20, "training.steps=22"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the run ends after 22 steps, and the trial after 23");
  }

  @Test
  void aChangeThatNeedsTooMuchIsAResult() throws InterruptedException {
    TrialResult result = run(Optional.empty(), false, 20, FakeTraining.TOO_LARGE);
    assertThat(result.cannotRun()).hasValueSatisfying(it -> assertThat(it).contains("no room"));
    assertThat(result.decision()).isEqualTo(TrialResult.Decision.ROLL_BACK);
    assertThat(TrialText.of(result))
        .anyMatch(line -> line.contains("cannot train here: there is no room"));
  }

  @Test
  void aChangeThatDivergesIsAResult() throws InterruptedException {
    TrialResult result = run(Optional.empty(), false, 20, FakeTraining.BROKEN);
    assertThat(result.cannotRun()).hasValueSatisfying(it -> assertThat(it).contains("NaN"));
  }

  /** The run file as it is has trained by then: it is the change that the machine does not take. */
  @Test
  void aChangeThatFailsOtherwiseIsAResult() throws InterruptedException {
    TrialResult result = run(Optional.empty(), false, 20, FakeTraining.WRONG);
    assertThat(result.cannotRun())
        .hasValueSatisfying(it -> assertThat(it).contains("this is wrong"));
    assertThat(result.decision()).isEqualTo(TrialResult.Decision.ROLL_BACK);
  }

  @Test
  void aMistakeIsNoResult() throws IOException {
    Files.writeString(
        file, Files.readString(file).replace("threads: 1", FakeTraining.WRONG.replace("=", ": ")));
    assertThatThrownBy(() -> run(Optional.empty(), false, 20, FakeTraining.SLOW))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the arm 'as-it-is' cannot train: this is wrong")
        .hasMessageContaining("as-it-is-output");
    assertThatThrownBy(() -> run(Optional.empty(), false, 19, FakeTraining.SLOW))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("a trial of 19 steps says nothing");
    assertThatThrownBy(() -> run(Optional.empty(), false, 2000, FakeTraining.SLOW))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the run ends after 1000 steps, and the trial after 2003");
  }

  @Test
  void aRunWithoutAWholeCheckpointIsNoStart() throws IOException {
    Path run = folder.resolve("earlier");
    Files.createDirectories(run.resolve("checkpoints/step-00000040"));
    assertThatThrownBy(() -> run(Optional.of(run), false, 20, FakeTraining.SLOW))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("has no whole checkpoint");
  }

  @Test
  void otherBatchesHaveNoLossToCompare() throws InterruptedException {
    TrialResult result = run(Optional.empty(), false, 20, "training.seed=7");
    assertThat(verdicts(result.judgements()))
        .containsEntry(Quantity.LOSS, Verdict.NOT_ASKED)
        .containsEntry(Quantity.GRADIENT_NORM, Verdict.NOT_ASKED);
    assertThat(result.decision())
        .isIn(TrialResult.Decision.UNDECIDED, TrialResult.Decision.ROLL_BACK);
    assertThat(result.judgements().get(2).reason()).startsWith("data.seed changes");
  }

  /** What pairs of answers are compared by decides over what a loss is of. */
  @Test
  void anotherPreferenceHasNoLossToCompare() throws IOException {
    Path pairs = Files.writeString(folder.resolve("pairs.jsonl"), "{}");
    List<String> overrides =
        List.of("data.sources=[" + pairs + "]", "data.format=pairs", "preference.beta=0.1");
    List<String> changed = new ArrayList<>(overrides);
    changed.set(2, "preference.beta=0.2");
    assertThat(TrialSubject.of(RunFile.read(file, overrides), RunFile.read(file, changed)).noLoss())
        .hasValueSatisfying(reason -> assertThat(reason).startsWith("preference.beta changes"));
  }

  /** A model that differs from itself hides differences up to that, and all of them if unknown. */
  @Test
  void whatShowsIsSaidBeyondWhatAModelDiffersFromItselfBy() {
    Interval interval = new Interval(-0.02, 0.01, 0.04, 0.03);
    Judgement known = Judgement.of(Quantity.LOSS, interval, 0.001, 0.01, "");
    assertThat(TrialText.of(known)).contains("not enough data", "shows from ±4.00 % on");
    Judgement unknown =
        Judgement.of(Quantity.LOSS, interval, 0.001, Double.POSITIVE_INFINITY, "never compared");
    assertThat(TrialText.of(unknown)).contains("not enough data").doesNotContain("shows from");
    TrialResult trial =
        new TrialResult(
            Instant.now(),
            file,
            "model",
            List.of("threads=2"),
            List.of(),
            0,
            20,
            List.of(known, unknown),
            Optional.empty(),
            Optional.empty(),
            folder);
    assertThat(TrialText.of(TrialJson.read(TrialJson.of(trial)).orElseThrow()))
        .isEqualTo(TrialText.of(trial));
  }

  @Test
  void whatIsWrittenDownIsReadBack() throws Exception {
    TrialLedger ledger = new TrialLedger(folder.resolve("trials.jsonl"));
    assertThat(ledger.trials()).isEmpty();
    TrialResult one = run(Optional.empty(), false, 20, FakeTraining.TOO_LARGE);
    ledger.add(one);
    Files.writeString(ledger.file(), "{\"cut off", StandardOpenOption.APPEND);
    ledger.add(one);
    assertThat(ledger.trials()).containsExactly(one, one);
  }
}
