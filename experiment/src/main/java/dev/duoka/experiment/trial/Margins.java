package dev.duoka.experiment.trial;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Up to which relative difference there is none: fixed for speed and memory; for loss and gradient
 * norm twice what this model has differed from itself by, and at least what nobody acts on.
 *
 * @param byQuantity the margins
 * @param runsOfItself how often the model was compared with itself
 */
public record Margins(Map<Quantity, Double> byQuantity, int runsOfItself) {
  private static final double SPEED = 0.01;
  private static final double MEMORY = 0.005;
  private static final double LEAST_LOSS = 0.001;
  private static final double LEAST_NORM = 0.01;
  private static final double FACTOR = 2;

  public Margins {
    byQuantity = Map.copyOf(byQuantity);
  }

  /**
   * Margins from trials in which nothing was changed.
   *
   * @param itself what was said of each of them
   */
  public static Margins of(List<List<Judgement>> itself) {
    Map<Quantity, Double> margins =
        new EnumMap<>(
            Map.of(
                Quantity.SPEED,
                SPEED,
                Quantity.MEMORY,
                MEMORY,
                Quantity.LOSS,
                LEAST_LOSS,
                Quantity.GRADIENT_NORM,
                LEAST_NORM));
    for (List<Judgement> judgements : itself) {
      for (Judgement judgement : judgements) {
        if (judgement.quantity() == Quantity.LOSS
            || judgement.quantity() == Quantity.GRADIENT_NORM) {
          judgement
              .interval()
              .ifPresent(
                  interval ->
                      margins.merge(judgement.quantity(), FACTOR * farthest(interval), Math::max));
        }
      }
    }
    return new Margins(margins, itself.size());
  }

  private static double farthest(Interval interval) {
    return Math.max(Math.abs(interval.low()), Math.abs(interval.high()));
  }

  double of(Quantity quantity) {
    return byQuantity.getOrDefault(quantity, 0.0);
  }
}
