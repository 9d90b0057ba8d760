package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The output projection and what follows it in one, of hidden states {@code [n, h]}. Gradients are
 * computed while the logits are there, in the forward pass. That fixes the loss's own gradient in
 * advance: {@link dev.duoka.engine.autograd.Tape#backward} must be given ones.
 */
public abstract sealed class HeadFunction extends Function
    permits LinearCrossEntropy, PreferenceLoss, NextToken {
  private static final String GRADIENT = "hidden gradient";

  private final TokenCrossEntropy tokens;

  /**
   * A loss.
   *
   * @param tokens how the losses of rows come about
   */
  HeadFunction(TokenCrossEntropy tokens) {
    this.tokens = tokens;
  }

  /** The same function, whose logits come about in another way: over parts of the vocabulary. */
  public abstract HeadFunction over(TokenCrossEntropy other);

  /** How the losses of rows come about. */
  final TokenCrossEntropy tokens() {
    return tokens;
  }

  /** The output projection. */
  public final OutputProjection projection() {
    return tokens.projection();
  }

  final Parameter weight() {
    return projection().weight();
  }

  @Override
  public final List<Parameter> parameters() {
    return projection().parameters();
  }

  /** The logits and both gradients, which are computed with them; one of a frozen head. */
  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return (weight().isTrainable() ? 3 : 2) * 2.0 * inputs[0].elements() * weight().value().size(0);
  }

  /** All passes of an adapter, whose gradients come about in the forward pass too. */
  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    Tensor hidden = inputs[0];
    return phase == Phase.FORWARD
        ? projection()
            .bytesBeside(
                hidden,
                (double) hidden.size(0),
                Phase.FORWARD,
                Phase.INPUT_GRADIENTS,
                Phase.WEIGHT_GRADIENTS)
        : 0;
  }

  @Override
  public final ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    return new ProductShape.Head(
        x.dtype(), x.size(0), x.size(1), weight().value().size(0), weight().isTrainable());
  }

  @Override
  public final double inputGradientRatio() {
    return 0;
  }

  /** Keeps the gradient of the hidden states for the backward pass. */
  static void save(SavedTensors saved, Tensor hiddenGradient) {
    saved.save(GRADIENT, hiddenGradient);
  }

  @Override
  public final @Nullable Tensor[] inputGradients(
      SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {saved.get(GRADIENT).share()};
  }
}
