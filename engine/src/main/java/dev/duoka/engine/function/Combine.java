package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Brings the experts' outputs back and sums them per token: {@code [n·k, h] → [n, h]}. */
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
    return new Tensor[] {routing.gather(inputs[0])};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {routing.spread(only(gradOutputs))};
  }
}
