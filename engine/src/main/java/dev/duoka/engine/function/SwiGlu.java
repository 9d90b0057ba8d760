package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.SwiGluKernels;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Gated activation (Shazeer, arXiv:2002.05202): {@code silu(gate) · up}, with both halves in one
 * tensor, {@code [..., 2f] → [..., f]}, gate first.
 *
 * <p>With a second input {@code [n, 1]} each row is multiplied by a weight of its own: the router's
 * weights of the experts, applied here so that the expert's output need not be kept.
 */
public final class SwiGlu extends Function {
  @Override
  public String name() {
    return "swiglu";
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    saved.saveInput("gate and up", 0);
    if (inputs.length == 2) {
      saved.saveInput("row weight", 1);
    }
    Tensor rowWeight = inputs.length == 2 ? inputs[1] : null;
    if (SwiGluKernels.take(inputs[0], rowWeight)) {
      return new Tensor[] {SwiGluKernels.forward(inputs[0], rowWeight)};
    }
    Tensor result = product(inputs[0]);
    if (inputs.length == 2) {
      result = Elementwise.mul(result, Copies.cast(inputs[1], result.dtype()));
    }
    return new Tensor[] {result};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor input = saved.get("gate and up");
    Tensor gradient = only(gradOutputs);
    Tensor weights = saved.has("row weight") ? saved.get("row weight") : null;
    if (SwiGluKernels.take(input, weights)) {
      Tensor again =
          saved.wantsOutputsAgain()
              ? Tensors.empty(gradient.dtype(), gradient.device(), gradient.shape())
              : null;
      Tensor[] gradients = SwiGluKernels.backward(input, Views.dense(gradient), weights, again);
      if (again != null) {
        saved.giveOutputsAgain(again);
      }
      return gradients;
    }
    if (!saved.has("row weight")) {
      return new @Nullable Tensor[] {gateAndUpGradient(input, gradient)};
    }
    Tensor rowWeight = saved.get("row weight");
    Tensor weighted = Elementwise.mul(gradient, Copies.cast(rowWeight, gradient.dtype()));
    Tensor perElement =
        Elementwise.mul(
            Copies.cast(gradient, rowWeight.dtype()),
            Copies.cast(product(input), rowWeight.dtype()));
    return new @Nullable Tensor[] {
      gateAndUpGradient(input, weighted), Reductions.sum(perElement, -1, true)
    };
  }

  private static Tensor product(Tensor input) {
    long width = input.size(-1) / 2;
    Tensor result = Activations.silu(Views.narrow(input, -1, 0, width));
    Elementwise.mulInPlace(result, Views.narrow(input, -1, width, width));
    return result;
  }

  /** Both halves are computed where they belong, which saves most of a small model's passes. */
  private static Tensor gateAndUpGradient(Tensor input, Tensor gradient) {
    long width = input.size(-1) / 2;
    Tensor gate = Views.narrow(input, -1, 0, width);
    Tensor up = Views.narrow(input, -1, width, width);
    Tensor result = Tensors.empty(input.dtype(), input.device(), input.shape());
    Tensor gateGradient = Views.narrow(result, -1, 0, width);
    Elementwise.mulInto(gateGradient, gradient, up);
    Activations.siluBackwardInto(gateGradient, gateGradient, gate);
    Tensor upGradient = Views.narrow(result, -1, width, width);
    Activations.siluInto(upGradient, gate);
    Elementwise.mulInPlace(upGradient, gradient);
    return result;
  }
}
