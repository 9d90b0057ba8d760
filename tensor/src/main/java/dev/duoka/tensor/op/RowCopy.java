package dev.duoka.tensor.op;

import dev.duoka.tensor.Tensor;

/** A way to copy rows, now or on a stream of its own. */
@FunctionalInterface
public interface RowCopy {
  /**
   * Overwrites rows, converting the dtype.
   *
   * @param target {@code [rows, columns]}, each row dense
   * @param source likewise
   */
  void into(Tensor target, Tensor source);
}
