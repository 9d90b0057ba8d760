package dev.duoka.experiment.trial;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.Arm;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.ArmStart;
import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.ArmTurns;
import dev.duoka.experiment.arm.SwappedArms;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.binding.FieldChange;
import dev.duoka.train.run.RunChecks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tries a change of a run file: the file as it is and the changed one train in turns, on the same
 * batches from the same weights, each in a process of its own that goes on from its own state.
 *
 * <p>Where the memory does not hold both, one of them at a time is there, first the one as it is,
 * then twice the changed one, then the first again ({@link SwappedArms}).
 */
public final class Trial {
  /** Of a checkpoint: master weights and two moments in fp32, and as much again for the rest. */
  private static final long BYTES_OF_PARAMETER = 16;

  /** A few units in the last place of fp32, relative. */
  private static final double ROUNDING = 1e-6;

  private final TrialRequest request;
  private final ArmCommand command;
  private final Consumer<String> notice;
  private final Progress progress;

  /**
   * A trial.
   *
   * @param command what starts this program, up to its commands
   * @param notice hears what the user should know
   * @param progress hears how far it is
   */
  public Trial(
      TrialRequest request, List<String> command, Consumer<String> notice, Progress progress) {
    this.request = request;
    this.command = new ArmCommand(command, request.copy());
    this.notice = notice;
    this.progress = progress;
  }

  /**
   * Runs it; takes as long as the steps do, and the starts.
   *
   * @param known earlier trials, for what the model differs from itself by
   * @throws DuokaException when the run file is wrong, or cannot train as it is
   */
  public TrialResult run(List<TrialResult> known) throws InterruptedException {
    RunConfig base = RunFile.read(request.runFile(), List.of(), RunChecks::problems);
    RunConfig changed = RunFile.read(request.runFile(), request.change(), RunChecks::problems);
    requireChange(base, changed);
    Optional<ArmStart> start =
        request.from().map(run -> ArmStart.of(run, request.fromStep(), notice));
    TurnPlan plan =
        TurnPlan.of(start.map(it -> it.checkpoint().step()).orElse(0L), request.steps());
    TrialSubject subject = TrialSubject.of(base, changed);
    require(plan, base);
    require(plan, changed);
    CopiedRunFile.make(request.runFile(), request.copy());
    List<Arm> arms = arms(base, changed);
    for (Arm arm : arms) {
      arm.makeFolder();
      start.ifPresent(it -> it.into(arm.run()));
    }
    TrialJudge judge = new TrialJudge(request, subject, plan, known);
    ArmTurns.Ended ended =
        new ArmTurns(plan, command, request.folder().resolve("turns"), progress).run(arms);
    if (ended.doNotFitTogether()) {
      long states =
          ParameterCounts.of(ModelSource.config(base.model())).total() * BYTES_OF_PARAMETER;
      return swapped(judge, arms.subList(0, 2), states, start);
    }
    if (ended.failure().isEmpty() && ended.arms().size() < arms.size()) {
      notice.accept("there is no room for a third arm: the run file is not compared with itself");
    }
    return ended.failure().isPresent()
        ? failed(judge, arms, ended.failed(), ended.failure().get())
        : judge.of(ended.arms().stream().map(arm -> ArmSteps.read(arm.metrics())).toList());
  }

  private TrialResult swapped(
      TrialJudge judge, List<Arm> arms, long stateBytes, Optional<ArmStart> start)
      throws InterruptedException {
    SwappedArms swapped =
        new SwappedArms(judge.plan(), command, request.folder(), notice, progress);
    return switch (swapped.run(arms, stateBytes, start)) {
      case SwappedArms.Failed(int arm, WorkerFolder.Failure failure) ->
          failed(judge, arms, arm, failure);
      case SwappedArms.Trained trained -> judge.ofHalves(trained);
    };
  }

  /** A change that cannot train is a result; a run file that cannot is none. */
  private TrialResult failed(
      TrialJudge judge, List<Arm> arms, int arm, WorkerFolder.Failure failure) {
    // The run file as it is has warmed up by then.
    if (arm == 1 && !request.isOfItself()) {
      return judge.cannotRun(failure.message());
    }
    throw new DuokaException(
        failure.code(),
        "the arm '" + arms.get(arm).name() + "' cannot train: " + failure.message(),
        "Its output is in " + arms.get(arm).output());
  }

  private static void require(TurnPlan plan, RunConfig config) {
    if (config.training().epochs().isPresent()) {
      return; // its data say how long that is; an arm that ends too early is noticed
    }
    long steps = config.training().length().steps(config.training().tokensPerStep(), 0);
    if (steps < plan.last()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run ends after " + steps + " steps, and the trial after " + plan.last(),
          "Try fewer --steps, start --from an earlier checkpoint, or make the run longer");
    }
  }

  private void requireChange(RunConfig base, RunConfig changed) {
    List<FieldChange> changes = RunFile.changes(base, changed);
    if (changes.isEmpty() && !request.isOfItself()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          String.join(", ", request.change()) + " changes nothing: the run file says so already",
          "Leave --set out to compare the run file with itself");
    }
    for (FieldChange change : changes) {
      if (ArmCommand.sets(change.key())) {
        throw new DuokaException(
            ErrorCode.USAGE,
            change.key() + " cannot be tried: a trial sets it itself",
            "It changes nothing that a trial compares");
      }
    }
  }

  /** The one as it is, the changed one, and a second as it is where that is asked for. */
  private List<Arm> arms(RunConfig base, RunConfig changed) {
    List<Arm> arms = new ArrayList<>();
    arms.add(arm("as-it-is", List.of(), base));
    if (!request.isOfItself()) {
      arms.add(arm("changed", request.change(), changed));
    }
    if (request.isOfItself() || request.itself()) {
      arms.add(arm("as-it-is-again", List.of(lastDigits(base)), base));
    }
    return arms;
  }

  /**
   * A learning rate that differs by as much as rounding does. Many machines repeat a run to the
   * bit; so what another order of sums makes of its losses shows there, too.
   */
  private static String lastDigits(RunConfig config) {
    return "optimizer.learning_rate=" + config.optimizer().learningRate() * (1 + ROUNDING);
  }

  private Arm arm(String name, List<String> change, RunConfig config) {
    return new Arm(name, change, config.parallel().ranks(), request.folder().resolve(name));
  }
}
