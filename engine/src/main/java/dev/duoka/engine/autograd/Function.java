package dev.duoka.engine.autograd;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One differentiable step of a model. An instance is made for one application: it may hold its
 * parameters, its settings and constant tensors that outlive the step, but everything it needs
 * again for the gradients goes through {@link SavedTensors}.
 *
 * <p>All three methods run inside a scope of the tape: intermediate tensors need no closing.
 */
public abstract class Function {
  /** For subclasses. */
  protected Function() {}

  /** The function's name in errors, profiles and memory reports. */
  public abstract String name();

  /** The parameters that it computes with. */
  public List<Parameter> parameters() {
    return List.of();
  }

  /** Those whose gradients {@link #weightGradients} adds to: all that are not frozen. */
  public final List<Parameter> trained() {
    return parameters().stream().filter(Parameter::isTrainable).toList();
  }

  /**
   * Whether the outputs cost so little that selective recompute computes them again rather than
   * keep them for the functions that follow. Requires that {@link #forward} is deterministic and
   * depends on saved inputs only.
   */
  public boolean isCheap() {
    return false;
  }

  /**
   * The floating-point operations of the matrix products in {@link #forward}, for profiles; 0 for
   * functions that only move bytes. Shapes alone are read.
   */
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 0;
  }

  /**
   * The sizes of the products of {@link #flops} and of their gradients, for rates by shape; null
   * where there are none. Shapes alone are read.
   */
  public @Nullable ProductShape productShape(Tensor[] inputs) {
    return null;
  }

  /**
   * How many times faster than 16-bit products the card's products of {@link #flops} may run: 2
   * with 8-bit factors. Floors in profiles divide by it.
   */
  public double productSpeed(Tensor[] inputs) {
    return 1;
  }

  /**
   * Operations of {@link #inputGradients} relative to {@link #flops}; 0 for a function that
   * computes its gradients in the forward pass.
   */
  public double inputGradientRatio() {
    return 1;
  }

  /**
   * The bytes that {@link #inputGradients} at least reads and writes, for profiles. By default the
   * gradients of the outputs, and the inputs (of a product, the weights) for their gradients, which
   * are as large as the inputs.
   */
  public double inputGradientBytes(Tensor[] inputs, Tensor[] outputs) {
    return Work.inputGradientBytes(this, inputs, outputs);
  }

  /**
   * Bytes that a part reads and writes beside its products and that no floor holds, for prices:
   * what partial results are put together with, for example. Shapes alone are read.
   */
  public double bytesBeside(FunctionObserver.Phase phase, Tensor[] inputs, Tensor[] outputs) {
    return 0;
  }

  /**
   * Computes the outputs and saves what the gradients need.
   *
   * @param saved keeps tensors until the gradients are done
   * @param inputs borrowed
   * @return new tensors
   */
  public abstract Tensor[] forward(SavedTensors saved, Tensor... inputs);

  /**
   * Computes the gradients of the inputs.
   *
   * @param saved what {@link #forward} saved
   * @param gradOutputs the gradient of each output; null where nothing depends on it
   * @return one entry per input, null where it needs none
   */
  public abstract @Nullable Tensor[] inputGradients(
      SavedTensors saved, @Nullable Tensor[] gradOutputs);

  /**
   * Adds the gradients of the {@link #trained} parameters to their main gradients; not called where
   * there are none. Called after {@link #inputGradients} with the same arguments, at once or later.
   */
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {}

  /** Frees what the function keeps between its calls, if anything; called when it is done. */
  public void release() {}

  /** The gradient of the only output, for functions that have one. */
  protected final Tensor only(@Nullable Tensor[] gradOutputs) {
    Tensor gradient = gradOutputs[0];
    if (gradient == null) {
      throw new IllegalStateException(name() + " was asked for gradients it does not need");
    }
    return gradient;
  }
}
