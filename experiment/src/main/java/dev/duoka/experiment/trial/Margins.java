package dev.duoka.experiment.trial;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.StudentT;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Up to which relative difference there is none: fixed for speed and memory; for loss and gradient
 * norm what this model differs from itself by, and at least what nobody acts on.
 *
 * <p>Runs of a model that are alike to the last bit do not tell what another order of sums makes of
 * it; such comparisons do not count for loss and gradient norm.
 *
 * @param byQuantity the margins
 * @param spread what the model may differ from itself by, of 49 runs in 50: Student's distribution
 *     with the root mean square of the comparisons with itself; 0 where there were none, and for
 *     speed where none of them has shown a difference: most machines step alike in each process
 * @param runsOfItself how often the model was compared with itself
 */
public record Margins(
    Map<Quantity, Double> byQuantity, Map<Quantity, Double> spread, int runsOfItself) {
  private static final double SPEED = 0.01;
  private static final double MEMORY = 0.005;
  private static final double LEAST_LOSS = 0.001;
  private static final double LEAST_NORM = 0.01;

  /**
   * Of comparisons of a model with itself: what all but one of twenty stay within is no difference.
   */
  private static final double SAME = 0.95;

  /**
   * What is called one lies beyond all but one of fifty: a trial asks four questions, and in
   * nineteen of twenty in which nothing was changed none of them may be answered so.
   */
  private static final double DIFFERENT = 0.98;

  public Margins {
    byQuantity = Map.copyOf(byQuantity);
    spread = Map.copyOf(spread);
  }

  /**
   * Margins from trials in which nothing was changed.
   *
   * @param itself what was said of each of them
   */
  public static Margins of(List<List<Judgement>> itself) {
    double loss = spread(itself, Quantity.LOSS, SAME);
    double norm = spread(itself, Quantity.GRADIENT_NORM, SAME);
    return new Margins(
        Map.of(
            Quantity.SPEED,
            SPEED,
            Quantity.MEMORY,
            MEMORY,
            Quantity.LOSS,
            Math.max(LEAST_LOSS, loss),
            Quantity.GRADIENT_NORM,
            Math.max(LEAST_NORM, norm)),
        Map.of(
            Quantity.LOSS,
            spread(itself, Quantity.LOSS, DIFFERENT),
            Quantity.GRADIENT_NORM,
            spread(itself, Quantity.GRADIENT_NORM, DIFFERENT),
            Quantity.SPEED,
            processesDiffer(itself) ? spread(itself, Quantity.SPEED, DIFFERENT) : 0),
        differences(itself, Quantity.LOSS).length);
  }

  private static double[] differences(List<List<Judgement>> itself, Quantity quantity) {
    return itself.stream()
        .flatMap(List::stream)
        .filter(judgement -> judgement.quantity() == quantity)
        .flatMap(judgement -> judgement.interval().stream())
        .mapToDouble(Interval::estimate)
        .filter(difference -> difference != 0)
        .toArray();
  }

  /** Whether processes that train the same have differed in speed for certain. */
  private static boolean processesDiffer(List<List<Judgement>> itself) {
    return itself.stream()
        .flatMap(List::stream)
        .filter(judgement -> judgement.quantity() == Quantity.SPEED)
        .flatMap(judgement -> judgement.interval().stream())
        .anyMatch(interval -> interval.low() > 0 || interval.high() < 0);
  }

  private static double spread(List<List<Judgement>> itself, Quantity quantity, double share) {
    double[] differences = differences(itself, quantity);
    double squares = Arrays.stream(differences).map(it -> it * it).average().orElse(0);
    return differences.length == 0
        ? 0
        : StudentT.quantile(share, differences.length) * Math.sqrt(squares);
  }

  /** Up to which relative difference of a quantity there is none. */
  public double of(Quantity quantity) {
    return byQuantity.getOrDefault(quantity, 0.0);
  }

  double spread(Quantity quantity) {
    return spread.getOrDefault(quantity, 0.0);
  }
}
