package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Brings the experts' outputs back and sums them per token: {@code [n·k, h] → [n, h]}. A second
 * input {@code [n, h]} is added to the sums: what the shared experts put out.
 */
public final class Combine extends Function {
  private final Routing routing;

  /** The way back of a {@link Dispatch} along the same routing. */
  public Combine(Routing routing) {
    this.routing = routing;
  }

  @Override
  public String name() {
    return "combine";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {routing.gather(inputs[0], inputs.length == 2 ? inputs[1] : null)};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    Tensor spread = routing.spread(gradient);
    return saved.inputCount() == 2
        ? new @Nullable Tensor[] {spread, gradient}
        : new @Nullable Tensor[] {spread};
  }

  @Override
  public double inputGradientBytes(Tensor[] inputs, Tensor[] outputs) {
    return outputs[0].bytes() + inputs[0].bytes(); // that of a second input is not written
  }
}
