package dev.duoka.experiment.trial;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Progress;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
  /** What the arms do not do beside training. */
  private static final List<String> NOTHING_ELSE =
      List.of(
          "validation.every_steps=0",
          "checkpoint.every_steps=0",
          "checkpoint.keep_every=0",
          "logging.every_steps=1000000");

  /** Of a checkpoint: master weights and two moments in fp32, and as much again for the rest. */
  private static final long BYTES_OF_PARAMETER = 16;

  private final TrialRequest request;
  private final List<String> command;
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
    this.command = List.copyOf(command);
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
    Optional<ArmStart> start = request.from().map(run -> ArmStart.of(run, request.fromStep()));
    TrialPlan plan =
        TrialPlan.of(start.map(it -> it.checkpoint().step()).orElse(0L), request.steps());
    TrialSubject subject = TrialSubject.of(base, changed);
    require(plan, base);
    List<Arm> arms = arms(base, changed);
    for (Arm arm : arms) {
      make(arm.run());
      start.ifPresent(it -> it.into(arm.run()));
    }
    TrialJudge judge = new TrialJudge(request, subject, plan, known);
    ArmTurns.Ended ended =
        new ArmTurns(plan, this::words, request.folder().resolve("turns"), notice, progress)
            .run(arms);
    if (ended.doNotFitTogether()) {
      long states =
          ParameterCounts.of(ModelSource.config(base.model())).total() * BYTES_OF_PARAMETER;
      return swapped(judge, arms.subList(0, 2), states, start);
    }
    return ended.failure().isPresent()
        ? failed(judge, arms, ended.failed(), ended.failure().get())
        : judge.of(ended.arms().stream().map(arm -> ArmSteps.read(arm.metrics())).toList());
  }

  private TrialResult swapped(
      TrialJudge judge, List<Arm> arms, long stateBytes, Optional<ArmStart> start)
      throws InterruptedException {
    SwappedArms swapped =
        new SwappedArms(judge.plan(), this::words, request.folder(), notice, progress);
    return switch (swapped.run(arms, stateBytes, start)) {
      case SwappedArms.Failed(int arm, WorkerFolder.Failure failure) ->
          failed(judge, arms, arm, failure);
      case SwappedArms.Trained trained -> judge.ofHalves(trained);
    };
  }

  /** A change that cannot train is a result; a run file that cannot is none. */
  private TrialResult failed(
      TrialJudge judge, List<Arm> arms, int arm, WorkerFolder.Failure failure) {
    boolean isResult =
        failure.code() == ErrorCode.OUT_OF_MEMORY || failure.code() == ErrorCode.NUMERICS;
    if (arm == 1 && !request.isOfItself() && isResult) {
      return judge.cannotRun(failure.message());
    }
    throw new DuokaException(
        failure.code(),
        "the arm '" + arms.get(arm).name() + "' cannot train: " + failure.message(),
        "Its output is in " + arms.get(arm).output());
  }

  private static void require(TrialPlan plan, RunConfig config) {
    if (config.training().steps().isPresent()
        && config.training().steps().getAsLong() < plan.last()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run ends after "
              + config.training().steps().getAsLong()
              + " steps, and the trial after "
              + plan.last(),
          "Try fewer --steps, start --from an earlier checkpoint, or raise training.steps");
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
      arms.add(arm("as-it-is-again", List.of(), base));
    }
    return arms;
  }

  private Arm arm(String name, List<String> change, RunConfig config) {
    List<String> overrides = new ArrayList<>(change);
    overrides.addAll(NOTHING_ELSE);
    return new Arm(name, overrides, config.parallel().ranks(), request.folder().resolve(name));
  }

  private static void make(Path folder) {
    try {
      Path parent = folder.getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.createDirectory(folder);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot make the folder " + folder + ": " + IoReason.of(e),
          "Give another with --out",
          e);
    }
  }

  /** What starts an arm that takes steps up to a number. */
  private List<String> words(Arm arm, long until, boolean saves) {
    List<String> words = new ArrayList<>(command);
    words.addAll(List.of("train", request.runFile().toString(), "--no-supervise", "--no-watch"));
    words.addAll(List.of("--run-dir", arm.run().toString(), "--max-steps", "" + until));
    List<String> overrides = new ArrayList<>(arm.overrides());
    overrides.add("checkpoint.final=" + saves);
    overrides.add("launch.ranks_per_process=auto");
    overrides.forEach(override -> words.addAll(List.of("--set", override)));
    if (Files.isDirectory(arm.run().resolve("checkpoints"))) {
      words.add("--resume");
    }
    return words;
  }

  /** What starts an arm. */
  @FunctionalInterface
  interface Words {
    /**
     * The words of its command.
     *
     * @param until how many steps it has taken in all when it ends
     * @param saves whether it saves its state then
     */
    List<String> of(Arm arm, long until, boolean saves);
  }

  /** How an arm hears of its turns. */
  static Map<String, String> environment(Path turns, int arm) {
    return Map.of("DUOKA_TURNS", turns + ":" + arm);
  }
}
