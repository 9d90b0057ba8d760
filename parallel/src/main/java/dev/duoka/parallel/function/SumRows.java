package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import org.jspecify.annotations.Nullable;

/**
 * Sums over a group of ranks, of which each keeps its part of the rows: {@code [n, w] → [n / ranks,
 * w]}; the gradient is gathered. A second input {@code [n / ranks, w]} is added to the sum: a
 * residual connection. Collective, both ways.
 */
final class SumRows extends Function {
  private final Communicator group;

  SumRows(Communicator group) {
    this.group = group;
  }

  @Override
  public String name() {
    return "sum rows";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor sum = GatherRows.summed(group, inputs[0]);
    if (inputs.length == 2) {
      Elementwise.addInPlace(sum, inputs[1]);
    }
    return new Tensor[] {sum};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    Tensor all = GatherRows.gathered(group, gradient);
    return saved.inputCount() == 2
        ? new @Nullable Tensor[] {all, gradient}
        : new @Nullable Tensor[] {all};
  }
}
