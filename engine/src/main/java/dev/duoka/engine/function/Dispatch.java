package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Sends tokens to their experts: {@code [n, h] → [n·k, h]}, sorted by expert. */
public final class Dispatch extends Function {
  private final Routing routing;

  /** A dispatch along {@code routing}, whose tensors must outlive the backward pass. */
  public Dispatch(Routing routing) {
    this.routing = routing;
  }

  @Override
  public String name() {
    return "dispatch";
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {routing.spread(inputs[0])};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {routing.gather(only(gradOutputs), null)};
  }

  @Override
  public double inputGradientBytes(Tensor[] inputs, Tensor[] outputs) {
    return outputs[0].bytes() + inputs[0].bytes();
  }
}
