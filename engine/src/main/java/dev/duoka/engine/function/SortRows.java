package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The routing weights {@code [n, k]} in the order of the sorted rows: {@code [n·k, 1]}. */
public final class SortRows extends Function {
  private final Routing routing;

  /** The order of {@code routing}. */
  public SortRows(Routing routing) {
    this.routing = routing;
  }

  @Override
  public String name() {
    return "sort rows";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {routing.sort(inputs[0])};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {routing.unsort(only(gradOutputs))};
  }

  @Override
  public double inputGradientBytes(Tensor[] inputs, Tensor[] outputs) {
    return outputs[0].bytes() + inputs[0].bytes();
  }
}
