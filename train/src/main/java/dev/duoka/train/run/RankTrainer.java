package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.base.Progress;
import dev.duoka.comm.ExposedTime;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.evaluate.Evaluations;
import dev.duoka.train.memory.MemoryUse;
import dev.duoka.train.step.ExpertBalance;
import dev.duoka.train.step.RankState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One rank's way through a run: steps, validations and checkpoints until it ends or is stopped.
 *
 * <p>Each round launches a step, lets {@link StepReports} read it or the one before it, asks all
 * ranks whether to stop, and then does what is due: a validation, a checkpoint.
 */
final class RankTrainer {
  private final RankState rank;
  private final BatchStream batches;
  private final LoopSettings settings;
  private final StepRemedies remedies;
  private final RunEvents events;
  private final StopAgreement stop;
  private final Validation validation;
  private final boolean readsLate;

  /** Where reading goes on after the step that was launched last. */
  private DataState batchEnd = DataState.START;

  RankTrainer(
      RankState rank,
      BatchStream batches,
      LoopSettings settings,
      StepRemedies remedies,
      RunEvents events,
      Evaluations evaluations) {
    this(
        rank,
        batches,
        settings,
        remedies,
        events,
        evaluations,
        rank.device().isCuda() && !rank.scaler().isEnabled());
  }

  /**
   * A trainer that may read a step's loss only when the next step is launched, so that the device
   * never waits for the host.
   */
  RankTrainer(
      RankState rank,
      BatchStream batches,
      LoopSettings settings,
      StepRemedies remedies,
      RunEvents events,
      Evaluations evaluations,
      boolean readsLate) {
    this.rank = rank;
    this.batches = batches;
    this.settings = settings;
    this.remedies = remedies;
    this.events = events;
    this.readsLate = readsLate;
    this.stop = new StopAgreement(rank.world(), events::stopRequested);
    this.validation = new Validation(rank, stop, rank.bySource(), evaluations);
  }

  /**
   * How the loop ended.
   *
   * @param tokensPerSecond the median of the last steps; NaN when there was none
   */
  record Outcome(RunProgress progress, double tokensPerSecond, boolean interrupted) {}

  /** Trains on from where the run is. Collective. */
  Outcome run(RunProgress from) {
    StepReports reports = new StepReports(rank, settings, events, readsLate, from.loss());
    RunProgress at = from;
    boolean stopping = stop.reached();
    if (at.owesValidation() && validation.isPossible() && settings.validates() && !stopping) {
      Optional<ValidationResult> result = validate(at.steps());
      stopping = result.isEmpty();
      if (result.isPresent()) {
        at = at.validated(result.get(), settings.validation());
        save(at); // in place of the one of this step that did not know it
      }
    }
    boolean stops = settings.endsEarly(at.best());
    while (at.steps() < settings.lastStep() && !stopping && !stops) {
      if (events.isTurnOver(at.steps())) {
        awaitTurn(at.steps(), reports);
      }
      reports.add(launch(at.steps() + 1)); // before asking: who sees it may want the run to stop
      at = at.afterStep(batchEnd);
      if (at.steps() == from.steps() + 1 && settings.savesBetween(at.steps())) {
        events.expectSave(rank);
      }
      stopping = stop.reached();
      Due due = due(at.steps(), stopping);
      if (due.anything()) {
        reports.readAll();
      }
      at = at.withLoss(reports.loss()).owing(isValidatedAfter(at.steps()));
      boolean best = false;
      if (due.validation()) {
        long start = System.nanoTime();
        Optional<ValidationResult> result = validate(at.steps());
        reports.leaveOut(System.nanoTime() - start);
        stopping = result.isEmpty();
        at = result.isPresent() ? at.validated(result.get(), settings.validation()) : at;
        best = settings.validation().keepBest() && at.best().isAt(at.steps());
        stops = settings.endsEarly(at.best());
      }
      if (due.save() || stopping || best || stops) {
        save(at);
      }
    }
    if (stops && isFirst()) {
      events.notice(
          "ended after step %d: %d validations were no better than that after step %d (%s %.4f)"
              .formatted(
                  at.steps(),
                  at.best().since(),
                  at.best().step(),
                  settings.validation().bestBy(),
                  at.best().value()));
    }
    boolean over = at.steps() >= settings.lastStep() && !at.owesValidation();
    return new Outcome(at, reports.tokensPerSecond(), stopping && !over);
  }

  private void save(RunProgress at) {
    remedies.leaveSteps(MemoryUse.STATES, "saves a checkpoint of step " + at.steps());
    events.save(rank, at);
    remedies.enterSteps();
  }

  /** Waiting for another run is no time of a step. */
  private void awaitTurn(long steps, StepReports reports) {
    reports.readAll();
    long start = System.nanoTime();
    events.awaitTurn(rank.world().rank(), steps);
    reports.leaveOut(System.nanoTime() - start);
  }

  /** What is to be done after a step. */
  private record Due(boolean validation, boolean save, boolean last) {
    boolean anything() {
      return validation || save || last;
    }
  }

  private Due due(long step, boolean stopping) {
    return new Due(
        !stopping && isValidatedAfter(step),
        stopping || settings.savesAfter(step),
        settings.isLast(step));
  }

  private boolean isValidatedAfter(long step) {
    return validation.isPossible() && settings.validatesAfter(step);
  }

  private LaunchedStep launch(long number) {
    long start = System.nanoTime();
    events.enter(Phase.DATA, number);
    StepBatch batch = fitting(batches.next());
    checkTargets(number, batch);
    events.enter(Phase.STEP, number);
    double dataSeconds = (System.nanoTime() - start) * 1e-9;
    double learningRate = settings.schedule().rate(number - 1);
    double scale = rank.scaler().scale();
    boolean measures = settings.measuresRangesIn(number);
    AtomicReference<ExpertBalance> experts = new AtomicReference<>(ExpertBalance.NONE);
    // The first rank's tokens stand for all.
    Runnable beforeUpdate =
        measures && isFirst() ? () -> experts.set(ExpertBalance.launch(rank.model())) : null;
    boolean measuresExchange = rank.world().size() > 1 && settings.measuresExchangeIn(number);
    if (measuresExchange) {
      rank.exposed().start();
    }
    TrainingStep.PendingStep pending = launch(number, batch, learningRate, beforeUpdate, measures);
    batchEnd = batch.after();
    ExposedTime.Recording exposed = measuresExchange ? rank.exposed().stop() : null;
    return new LaunchedStep(
        number, learningRate, scale, dataSeconds, experts.get(), exposed, pending);
  }

  /**
   * As long as memory runs out, here or on another rank, again with what takes less of it, where
   * that is possible on all ranks without a new start.
   */
  private TrainingStep.PendingStep launch(
      long number,
      StepBatch batch,
      double learningRate,
      @Nullable Runnable beforeUpdate,
      boolean measures) {
    try {
      return rank.step().launch(batch, learningRate, beforeUpdate, measures);
    } catch (DuokaException e) {
      takeLess(number, e);
      return launch(number, fitting(batch), learningRate, beforeUpdate, measures);
    }
  }

  /** Takes back the step that has failed, on all ranks, and goes over to what takes less memory. */
  private void takeLess(long number, DuokaException failure) {
    Optional<OutOfMemoryException> own =
        failure instanceof OutOfMemoryException full ? Optional.of(full) : Optional.empty();
    boolean alone = rank.world().size() == 1;
    if (own.isEmpty() && (alone || failure.code() != ErrorCode.RANK_LOST)) {
      throw failure;
    }
    OptionalInt mine = remedies.inPlace(own);
    boolean possible = mine.isPresent() && rank.step().takeBack();
    if (alone ? !possible : !rank.world().renew(own.orElse(null), possible)) {
      throw failure;
    }
    int way;
    try {
      way = agreed(mine.orElseThrow(), own.isPresent());
    } catch (DuokaException again) { // a rank that was further has failed once more
      takeLess(number, again);
      return;
    }
    MemoryRemedy before = remedies.now();
    remedies.take(way);
    rank.step().recompute(remedies.now().recompute());
    if (isFirst()) {
      events.remedied(remedies.overrides(), repeats(number, failure, before, remedies.now()));
    }
  }

  /** Of those that the ranks which have failed have chosen, the one that takes least. */
  private int agreed(int mine, boolean failed) {
    double[] chosen = new double[remedies.count()];
    chosen[mine] = failed ? 1 : 0;
    rank.world().agreement().sum(chosen);
    for (int way = chosen.length - 1; way >= 0; way--) {
      if (chosen[way] > 0) {
        return way;
      }
    }
    throw new IllegalStateException("no rank has failed");
  }

  private String repeats(long number, DuokaException why, MemoryRemedy before, MemoryRemedy now) {
    List<String> changes = new ArrayList<>();
    if (now.microBatch() != before.microBatch()) {
      changes.add(
          "micro-batches have "
              + Plural.of(now.microBatch(), "sequence")
              + " in place of "
              + before.microBatch());
    }
    if (now.recompute() != before.recompute()) {
      changes.add("recompute is " + now.recompute() + " in place of " + before.recompute());
    }
    return "memory ran out in step "
        + number
        + " ("
        + why.problem()
        + "): it is repeated, and from now on "
        + String.join(", and ", changes)
        + "; "
        + String.join(" ", remedies.overrides())
        + " begins with that";
  }

  private StepBatch fitting(StepBatch batch) {
    return remedies.isInUse() ? batch.inMicroBatchesOf(remedies.now().microBatch()) : batch;
  }

  /** The loss is a mean over targets; without any it would be no number. */
  static void checkTargets(long number, StepBatch batch) {
    if (batch.stepTargets() == 0) {
      throw new DuokaException(
          ErrorCode.DATA,
          "step " + number + " has no token to learn: all of its tokens are padding or masked",
          "Raise training.tokens_per_step, or check that the documents in data.sources are longer"
              + " than one token and that chats have answers");
    }
  }

  private Optional<ValidationResult> validate(long step) {
    events.enter(Phase.VALIDATION, step);
    remedies.leaveSteps(MemoryUse.EVALUATION, "validates after step " + step);
    Optional<ValidationResult> result =
        validation.measure(isFirst() ? events::reached : Progress.NONE);
    remedies.enterSteps();
    events.enter(Phase.STEP, step);
    if (result.isPresent() && isFirst()) {
      events.validated(step, result.get());
    }
    return result;
  }

  private boolean isFirst() {
    return rank.world().rank() == 0;
  }
}
