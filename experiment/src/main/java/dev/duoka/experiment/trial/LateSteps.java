package dev.duoka.experiment.trial;

import dev.duoka.experiment.arm.ArmSteps;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.DoubleStream;

/**
 * Steps that take far longer than those around them. What else goes on on a machine makes some late
 * in any arm; they are left out, so that they do not hide a difference. If one arm has clearly more
 * of them, they are what was changed (a step in ten that waits for something, for one), and count.
 * Where that is not clear, what is said without them must hold with them ({@link Comparison}).
 *
 * @param late of the first arm and of the second, by their numbers
 * @param timed how many steps were timed of each arm
 */
record LateSteps(List<Set<Long>> late, int timed) {
  /** Of the usual deviation from a block's median. */
  private static final double FAR = 6;

  /** The median's deviation of normal noise, as a part of its standard deviation. */
  private static final double MEDIAN_DEVIATION = 0.6745;

  /** Two counts of chance differ by more in one of a hundred pairs. */
  private static final double CHANCE = 2.576;

  /** By more in one of ten. */
  private static final double PERHAPS = 1.645;

  /**
   * Looks for them.
   *
   * @param blocks numbers of the steps that were timed, block by block
   */
  static LateSteps of(List<List<Long>> blocks, ArmSteps base, ArmSteps changed) {
    double usual = FAR * deviation(blocks, List.of(base, changed)) / MEDIAN_DEVIATION;
    return new LateSteps(
        List.of(late(blocks, base, usual), late(blocks, changed, usual)),
        blocks.stream().mapToInt(List::size).sum());
  }

  private static double deviation(List<List<Long>> blocks, List<ArmSteps> arms) {
    List<Double> all = new ArrayList<>();
    for (ArmSteps arm : arms) {
      for (List<Long> block : blocks) {
        double median = median(logSeconds(arm, block));
        logSeconds(arm, block)
            .map(value -> Math.abs(value - median))
            .filter(value -> value > 0) // the median itself tells nothing
            .forEach(all::add);
      }
    }
    return all.isEmpty() ? 0 : median(all.stream().mapToDouble(Double::doubleValue));
  }

  private static Set<Long> late(List<List<Long>> blocks, ArmSteps arm, double far) {
    Set<Long> late = new HashSet<>();
    for (List<Long> block : blocks) {
      double median = median(logSeconds(arm, block));
      block.stream()
          .filter(step -> logSeconds(arm, List.of(step)).anyMatch(value -> value - median > far))
          .forEach(late::add);
    }
    return late;
  }

  private static DoubleStream logSeconds(ArmSteps arm, List<Long> block) {
    return block.stream()
        .flatMap(step -> arm.step(step).stream())
        .mapToDouble(step -> -Math.log(step.tokensPerSecond()))
        .filter(Double::isFinite);
  }

  /** The lower one of two in the middle: of four steps two may be late. NaN of none. */
  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    return sorted.length == 0 ? Double.NaN : sorted[(sorted.length - 1) / 2];
  }

  /** Whether one arm has more of them than chance explains. */
  boolean differ() {
    return differBy(CHANCE);
  }

  /** Whether they are left out, although one arm may have more of them by what was changed. */
  boolean mayDiffer() {
    return differBy(PERHAPS) && !differ();
  }

  private boolean differBy(double deviations) {
    int first = late.getFirst().size();
    int second = late.getLast().size();
    return Math.abs(first - second) > deviations * Math.sqrt(first + second);
  }

  /** The same steps, none of them late. */
  LateSteps counted() {
    return new LateSteps(List.of(Set.of(), Set.of()), timed);
  }

  /** Whether a step's time counts. */
  boolean counts(int arm, long step) {
    return differ() || !late.get(arm).contains(step);
  }

  /** For people; empty where there are none. */
  String remark() {
    if (late.stream().allMatch(Set::isEmpty)) {
      return "";
    }
    return (differ() ? "late steps count: " : "late steps are left out: ") + counts();
  }

  /** How many there are, for people. */
  String counts() {
    return String.format(
        Locale.ROOT, "%d and %d of %d", late.getFirst().size(), late.getLast().size(), timed);
  }
}
