package dev.duoka.experiment.tune;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.Arm;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.arm.ArmProcess;
import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.ArmTurns;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.trial.Comparison;
import dev.duoka.experiment.trial.Margins;
import dev.duoka.experiment.trial.TrialResult;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.train.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.LongStream;

/**
 * Tries candidates: each alone for a few steps; those that may be the fastest, by their intervals,
 * then in turns with the run file as it is. That a candidate fails, for want of memory or
 * otherwise, or takes many times as long as the others, is a result; what was found before stays.
 */
public final class Tuning {
  private static final List<Quantity> LEARNED = List.of(Quantity.LOSS, Quantity.GRADIENT_NORM);

  /** Of a loss: it is worse, or is no number in some step. */
  private static final Set<Verdict> SPOILT = EnumSet.of(Verdict.WORSE, Verdict.NOT_ASKED);

  private static final Set<ErrorCode> MAY_FAIL_BY =
      EnumSet.of(ErrorCode.OUT_OF_MEMORY, ErrorCode.NUMERICS);

  private static final int WARM_UP = 3;
  private static final int ALONE = 10;

  /** Runs of each of two that do not fit on the device together. */
  private static final int PAIRS = 4;

  /** How many go on, beside the run file as it is: all of them must fit on the device together. */
  private static final int FINALISTS = 3;

  private final ArmCommand command;
  private final Path folder;
  private final ToIntFunction<Candidate> ranks;
  private final TuneBudget budget;
  private final Margins margins;
  private final Consumer<String> notice;
  private final Progress progress;

  /**
   * Tuning of a run file.
   *
   * @param folder where the candidates write
   * @param ranks how many train with a candidate
   * @param tokensPerStep of all candidates
   * @param minutes for the search and the comparison at its end; where two do not fit on the device
   *     together, that comparison takes longer
   * @param margins of the run file's model
   */
  public Tuning(
      ArmCommand command,
      Path folder,
      ToIntFunction<Candidate> ranks,
      long tokensPerStep,
      double minutes,
      Margins margins,
      Consumer<String> notice,
      Progress progress) {
    this.command = command;
    this.folder = folder;
    this.ranks = ranks;
    this.budget = new TuneBudget(minutes, tokensPerStep);
    this.margins = margins;
    this.notice = notice;
    this.progress = progress;
  }

  /**
   * What loss and gradient norm of a run file's model may differ by, from trials of as many steps.
   *
   * @param trials of this user on this machine
   */
  public static Margins margins(RunConfig config, List<TrialResult> trials) {
    return TrialResult.margins(config, TuneBudget.MOST_STEPS, trials);
  }

  /**
   * Refuses a run that is over before the candidates were compared.
   *
   * @throws DuokaException with how long it must be
   */
  public static void requireLength(RunConfig config) {
    long last = TurnPlan.of(0, TuneBudget.MOST_STEPS).last();
    long steps = config.training().steps().orElse(last);
    if (steps < last) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run ends after " + steps + " steps, and tuning after " + last,
          "Tune a copy of the run file that is longer: what is fastest stays the same");
    }
  }

  /**
   * Tries what a search asks for.
   *
   * @param search the run file as it is first
   * @param heard of all that was tried so far, whenever one more was
   */
  public Tuned run(Search search, Consumer<Tuned> heard) throws InterruptedException {
    List<Tuned.Tried> tried = new ArrayList<>();
    boolean cutShort = false;
    for (List<Candidate> next = search.next(List.of()); !next.isEmpty() && !cutShort; ) {
      int before = tried.size();
      for (Candidate candidate : next) {
        if (!tried.isEmpty() && budget.isSearchOver(tried)) {
          cutShort = true;
          break;
        }
        progress.reached("trying " + candidate, tried.size(), before + next.size());
        Optional<String> needless = search.needless(candidate, List.copyOf(tried));
        tried.add(
            needless.isPresent()
                ? new Tuned.Tried(candidate, Optional.empty(), 0, needless.get())
                : timed(candidate, "alone-" + tried.size()));
        heard.accept(new Tuned(tried, Candidate.AS_IT_IS, List.of(), true)); // so far
      }
      next = search.next(List.copyOf(tried));
    }
    Tuned found = new Tuned(tried, Candidate.AS_IT_IS, List.of(), cutShort);
    List<Tuned.Tried> finalists = finalists(found.fastestFirst());
    if (finalists.isEmpty()) {
      return found;
    }
    return found.canTrainAsItIs()
        ? inTurns(found, finalists)
        : found.with(finalists.getFirst().candidate(), List.of()); // beside nothing
  }

  /** Those whose interval reaches that of the fastest, the run file as it is left out. */
  private static List<Tuned.Tried> finalists(List<Tuned.Tried> tried) {
    double low = tried.getFirst().logSpeed().map(Interval::low).orElse(Double.POSITIVE_INFINITY);
    return tried.stream()
        .filter(one -> !one.candidate().equals(Candidate.AS_IT_IS) && one.high() >= low)
        .limit(FINALISTS)
        .toList();
  }

  private Tuned.Tried timed(Candidate candidate, String name) throws InterruptedException {
    long begun = System.nanoTime();
    Tuned.Tried one = alone(candidate, name);
    budget.took(one, (System.nanoTime() - begun) / 1e9, WARM_UP + ALONE);
    return one;
  }

  /**
   * What the run file as it is fails by is a mistake in it, but for a full memory and no number.
   */
  private Tuned.Tried alone(Candidate candidate, String name) throws InterruptedException {
    Arm arm = arm(candidate, name);
    try (ArmProcess process =
        ArmProcess.start(arm.output(), command.words(arm, WARM_UP + ALONE, false), Map.of())) {
      double patience = budget.patience();
      if (Double.isInfinite(patience)) {
        process.await();
      } else if (!process.await(patience)) {
        return new Tuned.Tried(
            candidate,
            Optional.empty(),
            0,
            String.format(
                Locale.ROOT,
                "ended after %.0f s, which is far longer than others took; its output is in %s",
                patience,
                arm.output()));
      }
      if (!process.hasSucceeded()) {
        WorkerFolder.Failure failure = process.failure();
        if (candidate.equals(Candidate.AS_IT_IS) && !MAY_FAIL_BY.contains(failure.code())) {
          throw new DuokaException(
              failure.code(),
              "cannot try " + candidate + ": " + failure.message(),
              "Its output is in " + arm.output());
        }
        return new Tuned.Tried(candidate, Optional.empty(), 0, failure.message());
      }
    }
    ArmSteps steps = ArmSteps.read(arm.metrics());
    double[] speeds =
        LongStream.rangeClosed(WARM_UP + 1, WARM_UP + ALONE)
            .mapToObj(steps::step)
            .flatMap(Optional::stream)
            .mapToDouble(step -> Math.log(step.tokensPerSecond()))
            .filter(Double::isFinite)
            .toArray();
    return speeds.length < 2
        ? new Tuned.Tried(candidate, Optional.empty(), 0, "it has measured no steps")
        : new Tuned.Tried(candidate, Optional.of(Interval.ofMean(speeds)), steps.peakBytes(), "");
  }

  private Arm arm(Candidate candidate, String name) {
    Arm arm =
        new Arm(name, candidate.overrides(), ranks.applyAsInt(candidate), folder.resolve(name));
    arm.makeFolder();
    return arm;
  }

  /**
   * The finalists and the run file as it is; where they do not fit on the device together, one of
   * them fewer. What does not fit beside the run file as it is trains before and after it.
   */
  private Tuned inTurns(Tuned found, List<Tuned.Tried> fastest) throws InterruptedException {
    TuneBudget.Turns turns = budget.turns(found.tried().getFirst(), fastest);
    List<Candidate> finalists =
        new ArrayList<>(fastest.stream().map(Tuned.Tried::candidate).toList());
    for (int count = turns.finalists(); count > 0; count--) {
      List<Arm> arms = new ArrayList<>(List.of(arm(Candidate.AS_IT_IS, "final-" + count + "-0")));
      for (Candidate finalist : finalists.subList(0, count)) {
        arms.add(arm(finalist, "final-" + count + "-" + arms.size()));
      }
      TurnPlan plan = TurnPlan.of(0, turns.steps());
      ArmTurns.Ended ended =
          new ArmTurns(plan, command, folder.resolve("turns-" + count), progress).run(arms);
      if (ended.failure().isEmpty()) {
        return judged(found, finalists, plan, ended.arms());
      }
      if (!ended.doNotFitTogether()) {
        String what = ended.failed() == 0 ? "the run file" : "" + finalists.get(ended.failed() - 1);
        notice.accept(
            String.format(
                Locale.ROOT,
                "%s failed in turns: %s; its output is in %s",
                what,
                ended.failure().get().message(),
                arms.get(ended.failed()).output()));
        if (ended.failed() == 0) {
          return found; // nothing is certain then
        }
        finalists.remove(ended.failed() - 1);
        if (finalists.isEmpty()) {
          return found;
        }
        count = Math.min(count, finalists.size() + 1); // with one fewer, as if they did not fit
      }
    }
    return byWholeRuns(found, finalists.getFirst());
  }

  /** In the order ABBA, so that what changes slowly weighs on both alike. */
  private Tuned byWholeRuns(Tuned found, Candidate finalist) throws InterruptedException {
    notice.accept(
        "the run file as it is and "
            + finalist
            + " do not fit on the device together: they train one after the other, "
            + PAIRS
            + " times each");
    double[] differences = new double[PAIRS];
    Tuned.Tried asItIs = found.tried().getFirst();
    Tuned.Tried changed = asItIs;
    for (int pair = 0; pair < PAIRS; pair++) {
      for (int half = 0; half < 2; half++) {
        boolean first = half == pair % 2;
        String name = "pair-" + pair + "-" + half;
        progress.reached("in pairs", 2 * pair + half, 2 * PAIRS);
        Tuned.Tried one = alone(first ? Candidate.AS_IT_IS : finalist, name);
        if (one.logSpeed().isEmpty()) {
          return found; // what trains only now and then is not better
        }
        differences[pair] += Math.log(one.tokensPerSecond()) * (first ? -1 : 1);
        asItIs = first ? one : asItIs;
        changed = first ? changed : one;
      }
    }
    List<Judgement> judgements = new ArrayList<>();
    judgements.add(
        Judgement.of(
            Quantity.SPEED, Interval.ofMean(differences).expm1(), margins.of(Quantity.SPEED), ""));
    judgements.add(
        Judgement.of(
            Quantity.MEMORY,
            Interval.exact((double) changed.peakBytes() / asItIs.peakBytes() - 1),
            margins.of(Quantity.MEMORY),
            ""));
    LEARNED.forEach(
        quantity ->
            judgements.add(Judgement.notAsked(quantity, "a dozen steps say nothing of it")));
    boolean better = judgements.getFirst().verdict() == Verdict.BETTER;
    return found.with(
        better ? finalist : Candidate.AS_IT_IS, List.of(new Tuned.Compared(finalist, judgements)));
  }

  private Tuned judged(Tuned found, List<Candidate> finalists, TurnPlan plan, List<Arm> arms) {
    List<ArmSteps> steps = arms.stream().map(arm -> ArmSteps.read(arm.metrics())).toList();
    Comparison comparison = new Comparison(plan, List.of());
    Candidate best = Candidate.AS_IT_IS;
    List<Tuned.Compared> compared = new ArrayList<>();
    double fastest = 0;
    for (int number = 1; number < steps.size(); number++) {
      List<Judgement> all =
          comparison.of(steps.getFirst(), steps.get(number), margins, Optional.empty());
      compared.add(new Tuned.Compared(finalists.get(number - 1), all));
      Judgement speed = all.getFirst();
      double gain = speed.interval().map(Interval::estimate).orElse(0.0);
      boolean learnsAsWell =
          all.stream()
              .filter(judgement -> LEARNED.contains(judgement.quantity()))
              .noneMatch(judgement -> SPOILT.contains(judgement.verdict()));
      if (speed.verdict() == Verdict.BETTER && gain > fastest && learnsAsWell) {
        best = finalists.get(number - 1);
        fastest = gain;
      }
    }
    return found.with(best, compared);
  }
}
