package dev.duoka.engine.autograd;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The least work of one part of a function, from which its floor follows: operations over the
 * card's rate, or bytes over its bandwidth, whichever takes longer.
 *
 * @param flops floating-point operations of matrix products and attention, those of 8-bit products
 *     counted half
 * @param bytes read once and written once
 * @param product what the operations are, for a rate by shape; null where that is not known
 * @param beside bytes that the function as it is reads and writes beside its product; no part of
 *     the least work: to have weights in the compute dtype that are kept in 4 bits, and what {@link
 *     Function#bytesBeside} says
 */
public record Work(double flops, double bytes, @Nullable Product product, double beside) {
  /** Work whose operations, if any, have no known shape. */
  public Work(double flops, double bytes) {
    this(flops, bytes, null, 0);
  }

  /** Work on weights that are there, and nothing beside it. */
  public Work(double flops, double bytes, @Nullable Product product) {
    this(flops, bytes, product, 0);
  }

  /** Of a forward pass: inputs and weights are read, outputs written. */
  static Work forward(Function function, Tensor[] inputs, Tensor[] outputs) {
    return of(
        Phase.FORWARD,
        function,
        inputs,
        outputs,
        flops(function, inputs, outputs),
        bytes(inputs) + bytes(outputs) + weightBytes(function));
  }

  /** Of the input gradients. */
  static Work inputGradients(Function function, Tensor[] inputs, Tensor[] outputs) {
    return of(
        Phase.INPUT_GRADIENTS,
        function,
        inputs,
        outputs,
        function.inputGradientRatio() * flops(function, inputs, outputs),
        function.inputGradientBytes(inputs, outputs));
  }

  /** The outputs' gradients and the inputs, or a product's weights, are read, gradients written. */
  static double inputGradientBytes(Function function, Tensor[] inputs, Tensor[] outputs) {
    boolean product =
        function.inputGradientRatio() * flops(function, inputs, outputs) > 0
            && !function.parameters().isEmpty();
    double read = product ? weightBytes(function) : bytes(inputs);
    return bytes(outputs) + read + bytes(inputs);
  }

  /** Of the weight gradients: an fp32 gradient is written for each weight that is trained. */
  static Work weightGradients(Function function, Tensor[] inputs, Tensor[] outputs) {
    if (function.trained().isEmpty()) {
      return new Work(0, 0);
    }
    double gradients = 0;
    double all = 0;
    double trained = 0;
    double largest = 0;
    boolean largestIsTrained = false;
    for (Parameter parameter : function.parameters()) {
      double elements = parameter.spec().elements();
      all += elements;
      if (elements > largest) {
        largest = elements;
        largestIsTrained = parameter.isTrainable();
      }
      trained += parameter.isTrainable() ? elements : 0;
      gradients += parameter.isTrainable() ? 4 * elements : 0;
    }
    double flops =
        function.inputGradientRatio() == 0
            ? 0
            : flops(function, inputs, outputs) * trained / all; // as the products' sizes are
    // Beside a frozen weight the products are those of an adapter. The shape is not theirs, and
    // of the outputs' gradients they need what can be had when those are read for the inputs'.
    double read = bytes(inputs) + (largestIsTrained ? bytes(outputs) : 0);
    double bytes = flops > 0 ? read + gradients : gradients;
    Work work = of(Phase.WEIGHT_GRADIENTS, function, inputs, outputs, flops, bytes);
    return largestIsTrained ? work : new Work(flops, bytes, null, work.beside());
  }

  private static Work of(
      Phase phase,
      Function function,
      Tensor[] inputs,
      Tensor[] outputs,
      double flops,
      double bytes) {
    ProductShape shape = flops > 0 ? function.productShape(inputs) : null;
    return new Work(
        flops,
        bytes,
        shape == null ? null : new Product(shape, phase),
        (phase == Phase.WEIGHT_GRADIENTS ? 0 : made(function))
            + function.bytesBeside(phase, inputs, outputs));
  }

  private static double made(Function function) {
    return function.parameters().stream()
        .filter(Parameter::isInFourBits)
        .mapToDouble(parameter -> (double) parameter.bytes() + parameter.denseBytes())
        .sum();
  }

  /** As many operations of 16-bit products as take the same time. */
  private static double flops(Function function, Tensor[] inputs, Tensor[] outputs) {
    return function.flops(inputs, outputs) / function.productSpeed(inputs);
  }

  private static double weightBytes(Function function) {
    double bytes = 0;
    for (Parameter parameter : function.parameters()) {
      bytes += parameter.bytes();
    }
    return bytes;
  }

  private static double bytes(Tensor[] tensors) {
    double bytes = 0;
    for (Tensor tensor : tensors) {
      bytes += tensor.bytes();
    }
    return bytes;
  }
}
