package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import org.jspecify.annotations.Nullable;

/** The sum of two tensors of one shape: a residual connection. */
public final class Add extends Function {
  @Override
  public String name() {
    return "add";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {Elementwise.add(inputs[0], inputs[1])};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    return new @Nullable Tensor[] {gradient, gradient};
  }
}
