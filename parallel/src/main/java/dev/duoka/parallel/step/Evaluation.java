package dev.duoka.parallel.step;

import java.util.List;

/**
 * What micro-batches without gradients came to, over all ranks.
 *
 * @param losses their sum
 * @param counted of how many tokens, or pairs
 * @param figures of pairs: sums of {@link dev.duoka.engine.function.PreferenceLoss#FIGURES}; empty
 *     where tokens are counted
 */
public record Evaluation(double losses, double counted, List<Double> figures) {
  public Evaluation {
    figures = List.copyOf(figures);
  }

  /** The mean loss. */
  public double mean() {
    return losses / counted;
  }
}
