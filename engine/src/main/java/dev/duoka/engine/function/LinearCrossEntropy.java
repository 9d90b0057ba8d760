package dev.duoka.engine.function;

import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * The loss of the next token: hidden states {@code [n, h]} and {@code W [vocabulary, h]} give the
 * sum of {@code −log p(target)} over the rows whose target is not {@value #IGNORED}, as fp32 {@code
 * [1]}. Every gradient is multiplied by the constructor's {@code gradientScale}.
 */
public final class LinearCrossEntropy extends HeadFunction {
  /** The target of a row that counts for nothing. */
  public static final long IGNORED = TokenCrossEntropy.IGNORED;

  private final Tensor targets;
  private final double gradientScale;

  /**
   * A loss against {@code targets}, int64 {@code [n]}, which must outlive the forward pass.
   *
   * @param gradientScale what every gradient is multiplied by: one over the number of real tokens
   *     of the step, times the loss scale
   */
  public LinearCrossEntropy(OutputProjection projection, Tensor targets, double gradientScale) {
    this(new WholeVocabulary(projection), targets, gradientScale);
  }

  LinearCrossEntropy(TokenCrossEntropy tokens, Tensor targets, double gradientScale) {
    super(tokens);
    this.targets = targets;
    this.gradientScale = gradientScale;
  }

  @Override
  public LinearCrossEntropy over(TokenCrossEntropy other) {
    return new LinearCrossEntropy(other, targets, gradientScale);
  }

  @Override
  public String name() {
    return "linear cross-entropy";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor hidden = inputs[0];
    Tensor loss = Tensors.zeros(TokenCrossEntropy.wide(hidden), hidden.device(), 1);
    TokenCrossEntropy.LossConsumer adding =
        (_, losses) -> Elementwise.addInPlace(loss, Views.reshape(Reductions.sum(losses), 1));
    if (saved.isRecording()) {
      save(
          saved,
          tokens().runWithGradients(hidden, targets, new RowScale.Same(gradientScale), adding));
    } else {
      tokens().run(hidden, targets, adding);
    }
    return new Tensor[] {loss};
  }
}
