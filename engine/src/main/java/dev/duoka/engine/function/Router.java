package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses experts: {@code [n, h] →} weights fp32 {@code [n, k]} and the chosen experts int64 {@code
 * [n, k]}, with {@code W [experts, h]}. Everything is computed in fp32. The choice itself has no
 * gradient; the weights do.
 */
public final class Router extends Function {
  /** Keeps the sum of chosen scores from being zero, as DeepSeek's code does. */
  private static final double TINY = 1e-20;

  private final Parameter weight;
  private final RouterRule rule;
  private final @Nullable Tensor selectionBias;
  private final @Nullable BalanceLoss balanceLoss;

  /**
   * A router.
   *
   * @param selectionBias fp32 {@code [experts]}, added to the scores for the choice only; null for
   *     none
   * @param balanceLoss null for none
   */
  public Router(
      Parameter weight,
      RouterRule rule,
      @Nullable Tensor selectionBias,
      @Nullable BalanceLoss balanceLoss) {
    this.weight = weight;
    this.rule = rule;
    this.selectionBias = selectionBias;
    this.balanceLoss = balanceLoss;
  }

  @Override
  public String name() {
    return "router " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor logits = Products.mmTransposedB(wide(inputs[0]), wide(weight.value()));
    Tensor scores =
        switch (rule.scoring()) {
          case SOFTMAX -> Activations.softmax(logits);
          case SIGMOID -> Activations.sigmoid(logits);
        };
    Tensor chosen = ExpertChoice.choose(scores, selectionBias, rule);
    Tensor weights = Indexing.gather(scores, 1, chosen);
    if (rule.normalize()) {
      weights = Elementwise.div(weights, sumOfChosen(weights));
    }
    saved.saveInput("x", 0);
    saved.save("scores", scores);
    saved.save("chosen", chosen);
    return new Tensor[] {Elementwise.mul(weights, rule.scalingFactor()), chosen};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor logitGradient = logitGradient(saved, gradOutputs);
    saved.save("logit gradient", logitGradient);
    Tensor gradient = Products.mm(logitGradient, wide(weight.value()));
    return new @Nullable Tensor[] {Copies.cast(gradient, saved.get("x").dtype())};
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    weight.addGradientProduct(saved.get("logit gradient"), wide(saved.get("x")));
  }

  private Tensor logitGradient(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor scores = saved.get("scores");
    Tensor chosen = saved.get("chosen");
    Tensor scoreGradient =
        Tensors.zeros(scores.dtype(), scores.device(), scores.size(0), scores.size(1));
    Tensor weightGradient = gradOutputs[0];
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

  private static Tensor wide(Tensor tensor) {
    return tensor.dtype() == Dtype.FLOAT64 ? tensor : Copies.cast(tensor, Dtype.FLOAT32);
  }
}
