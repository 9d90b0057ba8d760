package dev.duoka.experiment.trial;

import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a trial has shown; a line of the ledger.
 *
 * @param time when it ended
 * @param runFile what was tried on
 * @param model which model on which batches that trains, as a hash
 * @param change what was set, {@code KEY=VALUE} each; empty where the run file was compared with
 *     itself
 * @param changes what that changes in the configuration, for people
 * @param first steps that were taken before
 * @param steps of each arm that were compared
 * @param judgements of the change
 * @param itself of the run file against itself beside it; empty where that was not asked for
 * @param cannotRun why the changed run file cannot train; empty where it can
 * @param folder where the arms have written
 */
public record TrialResult(
    Instant time,
    Path runFile,
    String model,
    List<String> change,
    List<String> changes,
    long first,
    int steps,
    List<Judgement> judgements,
    Optional<List<Judgement>> itself,
    Optional<String> cannotRun,
    Path folder) {
  public TrialResult {
    change = List.copyOf(change);
    changes = List.copyOf(changes);
    judgements = List.copyOf(judgements);
    itself = itself.map(List::copyOf);
  }

  /** What is decided. */
  public enum Decision {
    /** Something is better and nothing worse: the change is kept. */
    KEEP,
    /** Something is worse, or the change cannot run. */
    ROLL_BACK,
    /** Nothing is worse, as far as is known; something is not known, or could not be asked. */
    UNDECIDED,
    /** Nothing is better, nothing worse. */
    NO_REASON
  }

  /**
   * What follows. A run file that is compared with itself gives no reason. Gradient norms decide
   * nothing: whether a smaller one is better is for the loss to say.
   */
  public Decision decision() {
    if (cannotRun.isPresent() || has(Verdict.WORSE)) {
      return Decision.ROLL_BACK;
    }
    if (has(Verdict.NOT_ENOUGH_DATA) || has(Verdict.NOT_ASKED)) {
      return Decision.UNDECIDED;
    }
    return has(Verdict.BETTER) && !change.isEmpty() ? Decision.KEEP : Decision.NO_REASON;
  }

  private boolean has(Verdict verdict) {
    return judgements.stream()
        .filter(judgement -> judgement.quantity() != Quantity.GRADIENT_NORM)
        .anyMatch(judgement -> judgement.verdict() == verdict);
  }

  /**
   * Whether earlier trials of as many steps show what a run file's model differs from itself by.
   *
   * @throws dev.duoka.base.DuokaException when there are too few steps for a trial
   */
  public static boolean isKnown(Path runFile, int steps, List<TrialResult> trials) {
    int compared = TurnPlan.of(0, steps).steps(); // whole blocks
    return margins(RunFile.read(runFile, List.of()), compared, trials).runsOfItself() > 0;
  }

  /** What earlier trials of at least so many steps show of a run file's model. */
  public static Margins margins(RunConfig config, int steps, List<TrialResult> trials) {
    return Margins.of(ofItself(trials, TrialSubject.of(config, config).model(), steps));
  }

  /** What a model has differed from itself by in earlier trials of at least so many steps. */
  static List<List<Judgement>> ofItself(List<TrialResult> trials, String model, int steps) {
    return trials.stream()
        .filter(trial -> trial.model.equals(model) && trial.steps >= steps)
        .flatMap(
            trial ->
                trial.change.isEmpty()
                    ? Optional.of(trial.judgements).stream()
                    : trial.itself.stream())
        .toList();
  }
}
