package dev.duoka.train.run;

import dev.duoka.formats.heartbeat.HeartbeatWriter;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Where the events of a rank go: to the listener, the metrics file and the checkpoints.
 *
 * @param stop whether the user wants the run to end early
 * @param heartbeat where others see what the rank is about
 * @param metrics of the first rank, which is the one that reports; empty for others
 * @param answers where the first rank writes what the model was asked
 * @param turns when the run may go on
 * @param products keeps which algorithms products are computed by
 * @param chosenBy the step by which most of these are known
 */
record RankEvents(
    RunListener listener,
    RunCheckpoints checkpoints,
    BooleanSupplier stop,
    long totalSteps,
    HeartbeatWriter heartbeat,
    Optional<MetricsFile> metrics,
    AnswersFile answers,
    Turns turns,
    Runnable products,
    long chosenBy)
    implements RunEvents {
  @Override
  public void enter(Phase phase, long step) {
    heartbeat.enter(phase, step, 0);
  }

  @Override
  public void notice(String text) {
    listener.notice(text);
  }

  @Override
  public void remedied(List<String> overrides, String text) {
    listener.remedied(overrides, text);
  }

  @Override
  public void step(StepMetrics step, double remainingSeconds) {
    metrics.ifPresent(file -> file.step(step));
    if (metrics.isPresent() && step.step() == chosenBy) {
      products.run();
    }
    listener.step(step, totalSteps, remainingSeconds);
  }

  @Override
  public void reached(String what, long done, long total) {
    listener.reached(what, done, total);
  }

  @Override
  public void validated(long step, ValidationResult result) {
    metrics.ifPresent(file -> file.validation(step, result));
    answers.add(step, result.answers());
    listener.validated(step, result);
  }

  @Override
  public void expectSave(RankState rank) {
    if (rank.device().isCuda()) { // what is in host memory already is copied there at once
      checkpoints.prepareAhead(rank);
    }
  }

  @Override
  public void save(RankState rank, RunProgress progress) {
    long most = MemoryLedger.of(rank.device()).liveBytes();
    heartbeat.enter(Phase.SAVING, progress.steps(), most);
    metrics.ifPresent(MetricsFile::settle); // who goes on from there finds the steps before it
    checkpoints.save(rank, progress);
    if (metrics.isPresent()) {
      products.run();
    }
    ThreadLedger.takePeakByOwner(rank.device()); // what was held to save is no step's memory
    heartbeat.enter(Phase.STEP, progress.steps(), 0);
  }

  @Override
  public boolean isTurnOver(long steps) {
    return turns.isOver(steps);
  }

  @Override
  public void awaitTurn(int rank, long steps) {
    metrics.ifPresent(MetricsFile::settle); // its file is whole while others look at it
    turns.await(rank, steps, this::stopRequested);
  }

  @Override
  public boolean stopRequested() {
    heartbeat.beat();
    return stop.getAsBoolean();
  }
}
