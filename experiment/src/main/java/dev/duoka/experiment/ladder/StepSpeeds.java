package dev.duoka.experiment.ladder;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.verdict.Interval;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How fast a rung's steps were, in blocks of {@value #BLOCK}: a block's speed is its median, so one
 * late step does not move it.
 */
final class StepSpeeds {
  /** Steps in which kernels are chosen and compiled. */
  static final int WARM_UP = 5;

  static final int BLOCK = 4;

  /** The fewest steps that give an interval. */
  static final int LEAST = 3 * BLOCK;

  /** Of tokens a second, one for each block. */
  private final double[] logarithms;

  private StepSpeeds(double[] logarithms) {
    this.logarithms = logarithms;
  }

  /**
   * Of the steps behind the warm-up.
   *
   * @param steps how many are measured
   */
  static StepSpeeds of(ArmSteps arm, int steps) {
    return new StepSpeeds(
        IntStream.range(0, steps / BLOCK)
            .mapToDouble(block -> median(arm, WARM_UP + block * BLOCK))
            .filter(Double::isFinite)
            .toArray());
  }

  private static double median(ArmSteps arm, int before) {
    double[] speeds =
        IntStream.rangeClosed(before + 1, before + BLOCK)
            .mapToObj(step -> arm.step(step))
            .flatMap(Optional::stream)
            .mapToDouble(ArmSteps.Step::tokensPerSecond)
            .filter(speed -> speed > 0)
            .sorted()
            .toArray();
    int middle = speeds.length / 2;
    return speeds.length == 0
        ? Double.NaN
        : Math.log(
            speeds.length % 2 == 1 ? speeds[middle] : (speeds[middle - 1] + speeds[middle]) / 2);
  }

  boolean areEnough() {
    return logarithms.length >= 2;
  }

  /** Tokens a second, the median of the blocks. */
  double tokensPerSecond() {
    double[] sorted = logarithms.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return Math.exp(
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
  }

  /** How many times as fast as so many tokens a second. */
  Share against(double tokensPerSecond) {
    double[] differences =
        Arrays.stream(logarithms).map(value -> value - Math.log(tokensPerSecond)).toArray();
    return share(differences);
  }

  /**
   * The speed of a card here as a share of that there.
   *
   * @param ranks here
   * @param base there
   * @param baseRanks there
   */
  Share efficiency(int ranks, StepSpeeds base, int baseRanks) {
    int count = Math.min(logarithms.length, base.logarithms.length);
    double ofRanks = Math.log((double) ranks / baseRanks);
    return share(
        IntStream.range(0, count)
            .mapToDouble(i -> logarithms[i] - base.logarithms[i] - ofRanks)
            .toArray());
  }

  private static Share share(double[] logarithms) {
    Interval interval = Interval.ofMean(logarithms).expm1();
    return new Share(1 + interval.low(), 1 + interval.estimate(), 1 + interval.high());
  }
}
