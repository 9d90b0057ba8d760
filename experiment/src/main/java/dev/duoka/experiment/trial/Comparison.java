package dev.duoka.experiment.trial;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Compares the steps of two arms. Each pair of blocks that were trained next to each other gives
 * one difference; the interval is that of their mean. A block's speed is the median of its steps:
 * one late step in four does not move it.
 *
 * <p>Losses drift apart by rounding as a random walk does, so their blocks are not independent:
 * what a model differs from itself by ({@link Margins}) counts beside the interval. Where that is
 * not known, no difference is called one.
 *
 * @param plan how they were trained
 * @param leftOut blocks in which an arm has warmed up again
 */
public record Comparison(TurnPlan plan, List<Integer> leftOut) {
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
    judgements.add(speed(base, changed, margins.of(Quantity.SPEED)));
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

  private Judgement speed(ArmSteps base, ArmSteps changed, double margin) {
    double[] differences =
        blocks()
            .mapToDouble(block -> logSpeed(changed, block) - logSpeed(base, block))
            .filter(Double::isFinite)
            .toArray();
    return differences.length < 2
        ? Judgement.notAsked(Quantity.SPEED, "too few blocks were measured")
        : Judgement.of(Quantity.SPEED, Interval.ofMean(differences).expm1(), margin, "");
  }

  private IntStream blocks() {
    return IntStream.range(0, plan.blocks()).filter(block -> !leftOut.contains(block));
  }

  private double logSpeed(ArmSteps arm, int block) {
    double[] speeds =
        plan.timedStepsOf(block).stream()
            .flatMap(step -> arm.step(step).stream())
            .mapToDouble(ArmSteps.Step::tokensPerSecond)
            .filter(speed -> speed > 0)
            .sorted()
            .toArray();
    return speeds.length == 0 ? Double.NaN : Math.log(median(speeds));
  }

  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
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
        unknown ? "the model was never compared with itself here" : "");
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
