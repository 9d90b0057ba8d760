package dev.duoka.engine.function;

import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The choice of experts from a router's logits, and its gradient, made of ATen operators: the truth
 * that {@link dev.duoka.tensor.kernel.RouterKernels} is tested against.
 */
final class ComposedRouter {
  /** Keeps the sum of chosen scores from being zero, as DeepSeek's code does. */
  private static final double TINY = 1e-20;

  private ComposedRouter() {}

  /** Logits as scores, {@code [n, experts]}. */
  static Tensor scores(Tensor logits, Scoring scoring) {
    return switch (scoring) {
      case SOFTMAX -> Activations.softmax(logits);
      case SIGMOID -> Activations.sigmoid(logits);
    };
  }

  /** The weights of the chosen experts and the experts, both {@code [n, k]}. */
  static Tensor[] choose(Tensor scores, @Nullable Tensor bias, RouterRule rule) {
    Tensor chosen = ExpertChoice.choose(scores, bias, rule);
    Tensor weights = Indexing.gather(scores, 1, chosen);
    if (rule.normalize()) {
      weights = Elementwise.div(weights, sumOfChosen(weights));
    }
    return new Tensor[] {Elementwise.mul(weights, rule.scalingFactor()), chosen};
  }

  /**
   * The gradient of the logits, {@code [n, experts]}.
   *
   * @param weightGradient of the weights, {@code [n, k]}; null for none
   */
  static Tensor logitGradient(
      Tensor scores,
      Tensor chosen,
      @Nullable Tensor weightGradient,
      @Nullable BalanceLoss balanceLoss,
      RouterRule rule) {
    Tensor scoreGradient =
        Tensors.zeros(scores.dtype(), scores.device(), scores.size(0), scores.size(1));
    if (weightGradient != null) {
      Tensor gradient = Elementwise.mul(weightGradient, rule.scalingFactor());
      if (rule.normalize()) {
        Tensor chosenScores = Indexing.gather(scores, 1, chosen);
        Tensor sum = sumOfChosen(chosenScores);
        gradient = quotientGradient(gradient, Elementwise.div(chosenScores, sum), sum);
      }
      Indexing.scatterAdd(scoreGradient, 1, chosen, gradient);
    }
    if (balanceLoss != null) {
      Elementwise.addInPlace(
          scoreGradient, BalanceLossGradient.of(balanceLoss, rule, scores, chosen));
    }
    return switch (rule.scoring()) {
      case SOFTMAX -> Activations.softmaxBackward(scoreGradient, scores);
      case SIGMOID -> Activations.sigmoidBackward(scoreGradient, scores);
    };
  }

  /** The gradient of {@code x / sum(x)} per row, from the quotient itself. */
  static Tensor quotientGradient(Tensor gradient, Tensor quotient, Tensor sum) {
    Tensor along = Reductions.sum(Elementwise.mul(gradient, quotient), 1, true);
    return Elementwise.div(Elementwise.add(gradient, along, -1), sum);
  }

  static Tensor sumOfChosen(Tensor chosen) {
    return Elementwise.add(Reductions.sum(chosen, 1, true), TINY);
  }
}
