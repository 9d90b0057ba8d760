package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Views;

/** What the gradient of each row of a {@link TokenCrossEntropy} is multiplied by. */
public sealed interface RowScale {
  /** Of a stretch of the rows. */
  RowScale narrow(long start, long length);

  /**
   * Multiplied by the number of each row, in a new tensor.
   *
   * @param counts {@code [n, 1]}
   */
  Tensor times(Tensor counts);

  /** One number for all rows. */
  record Same(double value) implements RowScale {
    @Override
    public RowScale narrow(long start, long length) {
      return this;
    }

    @Override
    public Tensor times(Tensor counts) {
      return Elementwise.mul(counts, value);
    }
  }

  /** A number for each row, {@code [n]} in the wide dtype. */
  record Each(Tensor values) implements RowScale {
    @Override
    public RowScale narrow(long start, long length) {
      return new Each(Views.narrow(values, 0, start, length));
    }

    @Override
    public Tensor times(Tensor counts) {
      return Elementwise.mul(counts, Copies.cast(Views.reshape(values, -1, 1), counts.dtype()));
    }
  }
}
