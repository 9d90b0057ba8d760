package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/** Shapes that several functions need. */
final class Matrices {
  private Matrices() {}

  /** All leading dimensions as one: {@code [..., w] → [n, w]}, dense; copies if it was not. */
  static Tensor flat(Tensor tensor) {
    return Views.reshape(Views.dense(tensor), -1, tensor.size(-1));
  }
}
