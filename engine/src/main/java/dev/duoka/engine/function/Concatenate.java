package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** Two tensors joined along the last dimension. */
public final class Concatenate extends Function {
  private long firstWidth;
  private long secondWidth;

  @Override
  public String name() {
    return "concatenate";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    firstWidth = inputs[0].size(-1);
    secondWidth = inputs[1].size(-1);
    return new Tensor[] {Copies.concatenate(-1, inputs)};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    return new @Nullable Tensor[] {
      Copies.dense(Views.narrow(gradient, -1, 0, firstWidth)),
      Copies.dense(Views.narrow(gradient, -1, firstWidth, secondWidth))
    };
  }
}
