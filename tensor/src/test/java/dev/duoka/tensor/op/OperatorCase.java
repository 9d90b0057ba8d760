package dev.duoka.tensor.op;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import java.util.List;

/**
 * One use of an operator that means the same on every device.
 *
 * @param operator the method, for example {@code Products.mm}
 * @param dtypes the dtypes of its floating-point inputs to try
 * @param body makes the inputs, applies the operator, returns its results or what it changed
 */
record OperatorCase(String operator, List<Dtype> dtypes, Body body) {
  /** See {@link OperatorCase}. */
  @FunctionalInterface
  interface Body {
    Tensor[] run(Inputs inputs);
  }

  @Override
  public String toString() {
    return operator;
  }
}
