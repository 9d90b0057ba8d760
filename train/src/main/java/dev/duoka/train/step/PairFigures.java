package dev.duoka.train.step;

import java.util.LinkedHashMap;
import java.util.Map;

/** What is said of pairs beside their loss, by the names of {@code metrics.jsonl}. */
public final class PairFigures {
  private PairFigures() {}

  /**
   * Means over pairs, in the order of {@link dev.duoka.engine.function.PreferenceLoss#FIGURES}.
   *
   * @param sums of pairs; none where tokens were learned
   * @param pairs how many
   */
  public static Map<String, Double> of(double[] sums, double pairs) {
    Map<String, Double> figures = new LinkedHashMap<>();
    if (sums.length > 0) {
      figures.put("reward_chosen", sums[0] / pairs);
      figures.put("reward_rejected", sums[1] / pairs);
      figures.put("reward_margin", (sums[0] - sums[1]) / pairs);
      figures.put("accuracy", sums[2] / pairs);
      figures.put("loss_of_chosen", sums[3] / pairs);
    }
    return figures;
  }
}
