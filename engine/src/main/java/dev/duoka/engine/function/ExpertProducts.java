package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.GroupedRowsKernel;
import dev.duoka.tensor.op.GroupedProducts;

/** Products of groups of rows with a matrix of their own, by whatever is fastest. */
public final class ExpertProducts {
  private ExpertProducts() {}

  /**
   * {@code rows_g @ matrices_g}; launches asynchronously.
   *
   * <p>In fp16 LibTorch reads the counts back and computes one product after the other; our kernel
   * does not. In bf16 LibTorch's is as fast ({@code bench/results/2026-11-30-four-h200.md}).
   *
   * @param rows {@code [n, k]}
   * @param matrices {@code [groups, k, m]}, may be a transposed view
   * @param ends int32 {@code [groups]}: where the rows of each group end
   * @return {@code [n, m]}; rows behind the last end hold anything
   */
  public static Tensor rowsByMatrices(Tensor rows, Tensor matrices, Tensor ends) {
    return rows.dtype() == Dtype.FLOAT16 && GroupedRowsKernel.take(rows, matrices)
        ? GroupedRowsKernel.run(rows, matrices, ends)
        : GroupedProducts.rowsByMatrices(rows, matrices, ends);
  }
}
