package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** Picks the experts of each token from their scores. */
final class ExpertChoice {
  private ExpertChoice() {}

  /** The chosen experts, int64 {@code [n, k]}, from scores {@code [n, experts]}. */
  static Tensor choose(Tensor scores, @Nullable Tensor bias, RouterRule rule) {
    Tensor ranked = bias == null ? scores : Elementwise.add(scores, bias);
    if (rule.groups() > 1) {
      ranked = limitedToBestGroups(ranked, rule);
    }
    return Indexing.topk(ranked, rule.expertsPerToken())[1];
  }

  /** The scores, with −∞ for every expert outside a token's best groups. */
  private static Tensor limitedToBestGroups(Tensor ranked, RouterRule rule) {
    long tokens = ranked.size(0);
    long perGroup = ranked.size(1) / rule.groups();
    Tensor grouped = Views.reshape(Views.dense(ranked), tokens, rule.groups(), perGroup);
    Tensor groupScores =
        switch (rule.groupScore()) {
          case MAXIMUM -> Reductions.max(grouped, false, 2);
          case SUM_OF_TOP_TWO ->
              Reductions.sum(
                  Indexing.topk(grouped, Math.toIntExact(Math.min(2, perGroup)))[0], 2, false);
        };
    Tensor best = Indexing.topk(groupScores, rule.topkGroups())[1];
    Tensor allowed = Tensors.zeros(ranked.dtype(), ranked.device(), tokens, rule.groups());
    Indexing.scatterAdd(
        allowed,
        1,
        best,
        Tensors.full(1, ranked.dtype(), ranked.device(), tokens, rule.topkGroups()));
    Tensor perExpert =
        Views.reshape(
            Copies.dense(Views.expand(Views.unsqueeze(allowed, 2), 2, perGroup)),
            tokens,
            ranked.size(1));
    Tensor nowhere =
        Tensors.full(Double.NEGATIVE_INFINITY, ranked.dtype(), ranked.device(), ranked.shape());
    return Elementwise.where(Elementwise.atLeast(perExpert, 1), ranked, nowhere);
  }
}
