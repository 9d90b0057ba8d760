package dev.duoka.experiment.trial;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Compares the steps of two arms. Each pair of blocks that were trained next to each other gives
 * one difference; the interval is that of their mean. A block's speed is the mean of its steps, but
 * for late ones ({@link LateSteps}), unless one arm has more of those than the other.
 *
 * <p>Losses drift apart by rounding as a random walk does, so their blocks are not independent:
 * what a model differs from itself by ({@link Margins}) counts beside the interval. Where that is
 * not known, no difference is called one. The same holds of speed where processes that train the
 * same were not equally fast.
 *
 * @param plan how they were trained
 * @param leftOut blocks in which an arm has warmed up again
 */
public record Comparison(TurnPlan plan, List<Integer> leftOut) {
  private static final String NEVER = "the model was never compared with itself here";

  public Comparison {
    leftOut = List.copyOf(leftOut);
  }

  /**
   * All four judgements.
   *
   * @param noLoss why losses are not compared; empty where they are
   */
  public List<Judgement> of(
      ArmSteps base, ArmSteps changed, Margins margins, Optional<String> noLoss) {
    List<Judgement> judgements = new ArrayList<>();
    judgements.add(speed(base, changed, margins));
    judgements.add(
        Judgement.of(
            Quantity.MEMORY,
            Interval.exact((double) changed.peakBytes() / base.peakBytes() - 1),
            margins.of(Quantity.MEMORY),
            ""));
    for (Quantity quantity : List.of(Quantity.LOSS, Quantity.GRADIENT_NORM)) {
      judgements.add(
          noLoss
              .map(reason -> Judgement.notAsked(quantity, reason))
              .orElseGet(() -> paired(quantity, base, changed, margins)));
    }
    return judgements;
  }

  /** What is said of a run file beside itself, whatever it differs by. */
  List<Judgement> ofItself(ArmSteps base, ArmSteps again, Margins margins) {
    return of(base, again, margins, Optional.empty()).stream()
        .map(judgement -> judgement.reason().equals(NEVER) ? judgement.because("") : judgement)
        .toList();
  }

  private Judgement speed(ArmSteps base, ArmSteps changed, Margins margins) {
    double margin = margins.of(Quantity.SPEED);
    double spread = margins.spread(Quantity.SPEED);
    LateSteps late = LateSteps.of(blocks().mapToObj(plan::timedStepsOf).toList(), base, changed);
    double[] differences = differences(base, changed, late);
    if (differences.length < 2) {
      return Judgement.notAsked(Quantity.SPEED, "too few blocks were measured");
    }
    Interval interval = Interval.ofMean(differences).expm1();
    if (spread > 0) {
      String processes = "processes of the run file as it is differ in speed here";
      Judgement judgement = Judgement.of(Quantity.SPEED, interval, margin, spread, processes);
      // Within the margin it may be by chance: what differs is the process.
      return judgement.verdict() == Verdict.SAME && spread > margin
          ? judgement.undecided()
          : judgement;
    }
    Judgement judgement = Judgement.of(Quantity.SPEED, interval, margin, late.remark());
    if (!late.mayDiffer()) {
      return judgement;
    }
    double all = Interval.ofMean(differences(base, changed, late.counted())).expm1().estimate();
    return judgement.unless(
        all, String.format(Locale.ROOT, "with late steps, %s, %+.2f %%", late.counts(), 100 * all));
  }

  private double[] differences(ArmSteps base, ArmSteps changed, LateSteps late) {
    return blocks()
        .mapToDouble(block -> logSpeed(changed, block, late, 1) - logSpeed(base, block, late, 0))
        .filter(Double::isFinite)
        .toArray();
  }

  private IntStream blocks() {
    return IntStream.range(0, plan.blocks()).filter(block -> !leftOut.contains(block));
  }

  private double logSpeed(ArmSteps arm, int block, LateSteps late, int number) {
    // Of steps with the same tokens: the mean time, not the mean speed.
    double seconds =
        plan.timedStepsOf(block).stream()
            .filter(step -> late.counts(number, step))
            .flatMap(step -> arm.step(step).stream())
            .mapToDouble(step -> 1 / step.tokensPerSecond())
            .filter(value -> value > 0 && Double.isFinite(value))
            .average()
            .orElse(Double.NaN);
    return -Math.log(seconds);
  }

  private Judgement paired(Quantity quantity, ArmSteps base, ArmSteps changed, Margins margins) {
    ToDoubleFunction<ArmSteps.Step> value =
        quantity == Quantity.LOSS ? ArmSteps.Step::loss : ArmSteps.Step::gradientNorm;
    double[] differences =
        IntStream.range(0, plan.blocks())
            .mapToDouble(block -> difference(base, changed, block, value))
            .toArray();
    if (Arrays.stream(differences).anyMatch(difference -> !Double.isFinite(difference))) {
      return Judgement.notAsked(
          quantity, "an arm has steps whose " + quantity + " is no number, or lacks some");
    }
    boolean unknown = margins.runsOfItself() == 0;
    return Judgement.of(
        quantity,
        Interval.ofMean(differences),
        margins.of(quantity),
        unknown ? Double.POSITIVE_INFINITY : margins.spread(quantity),
        unknown ? NEVER : "");
  }

  /** The mean over a block's steps of the relative difference on the same batch. */
  private double difference(
      ArmSteps base, ArmSteps changed, int block, ToDoubleFunction<ArmSteps.Step> value) {
    return plan.stepsOf(block).stream()
        .mapToDouble(
            step -> {
              double before = base.step(step).map(value::applyAsDouble).orElse(Double.NaN);
              double after = changed.step(step).map(value::applyAsDouble).orElse(Double.NaN);
              return before == after ? 0 : (after - before) / Math.abs(before);
            })
        .average()
        .orElse(Double.NaN);
  }
}
