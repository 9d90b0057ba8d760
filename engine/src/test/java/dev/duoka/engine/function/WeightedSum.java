package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** {@code Σ weightᵢ · inputᵢ} over all elements, as {@code [1]}: makes a loss of any outputs. */
final class WeightedSum extends Function {
  private final @Nullable Tensor[] weights;

  /** One weight per input, of its shape; null for an input that does not matter. */
  WeightedSum(@Nullable Tensor... weights) {
    this.weights = weights;
  }

  @Override
  public String name() {
    return "weighted sum";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor sum = Tensors.zeros(inputs[0].dtype(), inputs[0].device(), 1);
    for (int i = 0; i < inputs.length; i++) {
      Tensor weight = weights[i];
      if (weight != null) {
        Elementwise.addInPlace(
            sum, Views.reshape(Reductions.sum(Elementwise.mul(inputs[i], weight)), 1));
      }
    }
    return new Tensor[] {sum};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    @Nullable Tensor[] gradients = new @Nullable Tensor[weights.length];
    for (int i = 0; i < weights.length; i++) {
      Tensor weight = weights[i];
      gradients[i] = weight == null ? null : Elementwise.mul(weight, only(gradOutputs));
    }
    return gradients;
  }
}
