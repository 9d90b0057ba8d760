package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.function.RouterRule.GroupScore;
import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RouterKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses experts: {@code [n, h] →} weights fp32 {@code [n, k]} and the chosen experts int64 {@code
 * [n, k]}, with {@code W [experts, h]}. Everything is computed in fp32. The choice itself has no
 * gradient; the weights do.
 *
 * <p>On a GPU the factors of the products stay in 16 bits, which loses nothing where the result is
 * fp32. The gradient of the logits is fp32 itself; in bf16 its products are computed from two parts
 * of it, each of which is bf16 and together nearly all of it. fp16 has not the range for a second
 * part, so its factors are converted to fp32.
 */
public final class Router extends Function {
  private final Parameter weight;
  private final RouterRule rule;
  private final RouterKernels.Rule kernelRule;
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
    this.kernelRule =
        new RouterKernels.Rule(
            rule.expertsPerToken(),
            rule.scoring() == Scoring.SIGMOID,
            rule.groups(),
            rule.topkGroups(),
            rule.groupScore() == GroupScore.SUM_OF_TOP_TWO,
            rule.normalize(),
            rule.scalingFactor());
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
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2.0 * inputs[0].elements() * rule.experts();
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    return new ProductShape.Linear(
        x.dtype(), false, x.elements() / x.size(-1), x.size(-1), rule.experts());
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor[] weightsAndChosen;
    Tensor scores;
    if (isFused()) {
      scores = logits(inputs[0]);
      weightsAndChosen = RouterKernels.choose(scores, selectionBias, kernelRule);
    } else {
      scores = ComposedRouter.scores(logits(inputs[0]), rule.scoring());
      weightsAndChosen = ComposedRouter.choose(scores, selectionBias, rule);
    }
    if (weight.isTrainable()) {
      saved.saveInput("x", 0);
    }
    saved.save("scores", scores);
    saved.save("chosen", weightsAndChosen[1]);
    return weightsAndChosen;
  }

  private Tensor logits(Tensor x) {
    boolean narrow = weight.value().dtype() != Dtype.FLOAT32;
    return isFused() && narrow
        ? Products.wideTransposedB(Views.dense(x), weight.value())
        : Products.mmTransposedB(wide(x), wide(weight.value()));
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor logitGradient = logitGradient(saved.get("scores"), saved.get("chosen"), gradOutputs[0]);
    if (weight.isTrainable()) {
      saved.save("logit gradient", logitGradient);
    }
    Tensor gradient =
        isInParts()
            ? Products.mm(logitGradient, twice(weight.value()))
            : Copies.cast(Products.mm(logitGradient, wide(weight.value())), weight.value().dtype());
    return new @Nullable Tensor[] {gradient};
  }

  private Tensor logitGradient(Tensor scores, Tensor chosen, @Nullable Tensor weightGradient) {
    return isFused()
        ? RouterKernels.backward(
            scores,
            chosen,
            weightGradient == null ? null : Views.dense(weightGradient),
            balanceLoss == null ? null : BalanceLossGradient.counted(balanceLoss, rule, chosen),
            kernelRule,
            isInParts())
        : ComposedRouter.logitGradient(scores, chosen, weightGradient, balanceLoss, rule);
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor logitGradient = saved.get("logit gradient");
    if (!isInParts()) {
      weight.addGradientProduct(logitGradient, wide(saved.get("x")));
      return;
    }
    // Both parts in one product, so that x is read once.
    Tensor x = Views.dense(saved.get("x"));
    Tensor both = Tensors.empty(Dtype.FLOAT32, x.device(), 2L * rule.experts(), x.size(1));
    Products.outerInto(both, logitGradient, x, false);
    weight.addGradient(Views.narrow(both, 0, 0, rule.experts()));
    weight.addGradient(Views.narrow(both, 0, rule.experts(), rule.experts()));
  }

  /** Whether our kernels do it; the same in both directions. */
  private boolean isFused() {
    return RouterKernels.take(weight.value(), kernelRule);
  }

  /** Whether the gradient of the logits is in two parts. */
  private boolean isInParts() {
    return isFused() && weight.value().dtype() == Dtype.BFLOAT16;
  }

  /** A matrix above itself: {@code [m, n] → [2·m, n]}. */
  private static Tensor twice(Tensor matrix) {
    Tensor both = Copies.dense(Views.expand(Views.unsqueeze(matrix, 0), 0, 2));
    return Views.reshape(both, -1, matrix.size(1));
  }

  private static Tensor wide(Tensor tensor) {
    return tensor.dtype() == Dtype.FLOAT64 ? tensor : Copies.cast(tensor, Dtype.FLOAT32);
  }
}
