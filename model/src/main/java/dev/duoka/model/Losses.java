package dev.duoka.model;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a pass over a micro-batch gives: sums over its real tokens or pairs, fp32 {@code [1]} each.
 *
 * @param main the cross-entropy of the next token, or the loss of pairs; where the most likely
 *     token is asked for that of each sequence, fp64 {@code [b]}
 * @param further the cross-entropies of the modules that predict further tokens, unweighted
 * @param ofPairs what is said of pairs beside their loss; null where there are none
 */
public record Losses(Variable main, List<Variable> further, @Nullable OfPairs ofPairs) {
  /**
   * Of pairs.
   *
   * @param figures sums over pairs, {@code [4]}: {@link PreferenceLoss#FIGURES}
   * @param logProbabilities of each sequence, {@code [b]}
   */
  public record OfPairs(Tensor figures, Tensor logProbabilities) {}

  /** All of them, to run backward from. */
  public Variable[] all() {
    Variable[] all = new Variable[1 + further.size()];
    all[0] = main;
    for (int i = 0; i < further.size(); i++) {
      all[i + 1] = further.get(i);
    }
    return all;
  }
}
