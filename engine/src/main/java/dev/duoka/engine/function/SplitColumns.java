package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** The first columns and the rest: {@code [n, w] → [n, first], [n, w − first]}. */
public final class SplitColumns extends Function {
  private final long first;
  private final long[] shape = new long[2];

  /** A split after {@code first} columns. */
  public SplitColumns(long first) {
    this.first = first;
  }

  @Override
  public String name() {
    return "split columns";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    shape[0] = inputs[0].size(0);
    shape[1] = inputs[0].size(1);
    return new Tensor[] {
      Copies.dense(Views.narrow(inputs[0], 1, 0, first)),
      Copies.dense(Views.narrow(inputs[0], 1, first, shape[1] - first))
    };
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor left = gradOutputs[0];
    Tensor right = gradOutputs[1];
    Tensor any = left != null ? left : right;
    if (any == null) {
      throw new IllegalStateException("a split without any gradient");
    }
    return new @Nullable Tensor[] {
      Copies.concatenate(
          1,
          left != null ? left : Tensors.zeros(any.dtype(), any.device(), shape[0], first),
          right != null
              ? right
              : Tensors.zeros(any.dtype(), any.device(), shape[0], shape[1] - first))
    };
  }
}
