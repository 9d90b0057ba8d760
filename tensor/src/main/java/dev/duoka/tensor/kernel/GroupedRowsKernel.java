package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Products of consecutive groups of rows with a matrix of their own, as {@link
 * GroupedProducts#rowsByMatrices} defines them: the experts' products and the gradients of what
 * goes into them, bf16 and fp16, with other roundings than LibTorch's. No count is read by the
 * host. For compute capability 9.0; launches asynchronously; deterministic.
 */
public final class GroupedRowsKernel {
  /** Elements that a step of the kernel sums over, as in the source. */
  private static final int DEPTH = 64;

  private static final KernelFamily KERNELS = Hopper.family("grouped_rows.cu");

  private GroupedRowsKernel() {}

  /**
   * Whether the kernel can multiply these. Of matrices that are stored as they are, the last step
   * of a group would bring rows of the next one's, times zero: no number, where they are infinite.
   */
  public static boolean take(Tensor rows, Tensor matrices) {
    boolean half = rows.dtype() == Dtype.BFLOAT16 || rows.dtype() == Dtype.FLOAT16;
    return half
        && matrices.dtype() == rows.dtype()
        && rows.device().isCuda()
        && KernelFamily.serve(rows)
        && KernelFamily.inPacks(rows, rows.size(1))
        && matrices.size(2) % KernelFamily.pack(rows) == 0
        && isDense(matrices)
        && (!matrices.isContiguous() || matrices.size(1) % DEPTH == 0)
        && Hopper.serves(rows.device());
  }

  private static boolean isDense(Tensor matrices) {
    try (Tensor stored = stored(matrices)) {
      return KernelFamily.inPacks(stored, stored.size(2));
    }
  }

  /** Matrices as they lie in memory: as they are, or their transposes. */
  private static Tensor stored(Tensor matrices) {
    return matrices.isContiguous() ? matrices.share() : Views.transpose(matrices, 1, 2);
  }

  /**
   * {@code rows_g @ matrices_g}.
   *
   * @param rows {@code [n, k]}
   * @param matrices {@code [groups, k, m]}, may be a transposed view
   * @param ends int32 {@code [groups]}: where the rows of each group end
   * @return {@code [n, m]}; rows behind the last end hold anything
   */
  public static Tensor run(Tensor rows, Tensor matrices, Tensor ends) {
    Tensor result = Tensors.empty(rows.dtype(), rows.device(), rows.size(0), matrices.size(2));
    if (result.elements() == 0) {
      return result;
    }
    boolean asTheyAre = matrices.isContiguous();
    try (Tensor stored = stored(matrices)) {
      Hopper.call(KERNELS, rows, asTheyAre ? "by_columns" : "by_rows")
          .structure(Hopper.map(rows, rows.size(0), rows.size(1)))
          .structure(Hopper.map(stored, stored.size(0) * stored.size(1), stored.size(2)))
          .pointer(Views.addressOf(ends))
          .pointer(Views.addressOf(result))
          .integer(Math.toIntExact(ends.size(0)))
          .integer(Math.toIntExact(rows.size(1)))
          .integer(Math.toIntExact(matrices.size(2)))
          .launch();
    }
    return result;
  }
}
