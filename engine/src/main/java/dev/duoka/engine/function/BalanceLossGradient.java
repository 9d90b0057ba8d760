package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RouterKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/** The gradient of {@link BalanceLoss} with respect to the router's scores. */
final class BalanceLossGradient {
  private BalanceLossGradient() {}

  /** {@code [n, experts]}, from scores of that shape and the chosen experts {@code [n, k]}. */
  static Tensor of(BalanceLoss loss, RouterRule rule, Tensor scores, Tensor chosen) {
    long tokens = scores.size(0);
    long experts = scores.size(1);
    long perStretch = Math.min(loss.tokensPerStretch(), tokens);
    long stretches = tokens / perStretch;

    // f: the share of a stretch's assignments that each expert got, times the number of experts.
    Tensor hits = Tensors.zeros(scores.dtype(), scores.device(), tokens, experts);
    Indexing.scatterAdd(
        hits,
        1,
        chosen,
        Tensors.full(1, scores.dtype(), scores.device(), tokens, rule.expertsPerToken()));
    double evenShare = (double) experts / ((double) rule.expertsPerToken() * perStretch);
    Tensor frequency =
        Elementwise.mul(
            Reductions.sum(Views.reshape(hits, stretches, perStretch, experts), 1, true),
            evenShare);

    // d loss / d (normalised score of token t) = scale · f / length of the stretch.
    Tensor perToken =
        Views.reshape(
            Copies.dense(
                Views.expand(
                    Elementwise.mul(frequency, loss.gradientScale() / perStretch), 1, perStretch)),
            tokens,
            experts);
    return switch (rule.scoring()) {
      case SOFTMAX -> perToken; // normalised already
      case SIGMOID -> {
        Tensor sum = ComposedRouter.sumOfChosen(scores);
        yield ComposedRouter.quotientGradient(perToken, Elementwise.div(scores, sum), sum);
      }
    };
  }

  /** What the router's kernel needs to add it, from the chosen experts {@code [n, k]}. */
  static RouterKernels.Balance counted(BalanceLoss loss, RouterRule rule, Tensor chosen) {
    long perStretch = Math.min(loss.tokensPerStretch(), chosen.size(0));
    double evenShare = (double) rule.experts() / ((double) rule.expertsPerToken() * perStretch);
    return new RouterKernels.Balance(
        RouterKernels.countByStretch(chosen, rule.experts(), perStretch),
        perStretch,
        evenShare * loss.gradientScale() / perStretch);
  }
}
