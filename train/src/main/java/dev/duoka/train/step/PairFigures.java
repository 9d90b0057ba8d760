package dev.duoka.train.step;

import java.util.LinkedHashMap;
import java.util.List;
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
  public static Map<String, Double> of(List<Double> sums, double pairs) {
    Map<String, Double> figures = new LinkedHashMap<>();
    if (!sums.isEmpty()) {
      figures.put("reward_chosen", sums.get(0) / pairs);
      figures.put("reward_rejected", sums.get(1) / pairs);
      figures.put("reward_margin", (sums.get(0) - sums.get(1)) / pairs);
      figures.put("accuracy", sums.get(2) / pairs);
      figures.put("loss_of_chosen", sums.get(3) / pairs);
    }
    return figures;
  }
}
