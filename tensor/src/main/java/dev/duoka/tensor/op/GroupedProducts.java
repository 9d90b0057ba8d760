package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/**
 * Matrix products of consecutive groups of rows with a matrix of their own: the experts' products.
 *
 * <p>Groups are given by {@code ends}: {@code int32[groups]}, where group g has the rows from
 * {@code ends[g − 1]} (0 for the first) to {@code ends[g]}; groups may be empty.
 *
 * <p>In bf16 on CUDA there is one kernel for all groups: no loop over them, and the counts stay on
 * the device. In fp32 and fp16, and on the CPU, LibTorch reads the counts back and computes one
 * product per group. fp64, and rows whose length is no multiple of 16 bytes, take a loop of ours
 * that does the same.
 */
public final class GroupedProducts {
  private static final Operator GROUPED_MM = Operator.of("aten::_grouped_mm", "");

  private static final int KERNEL_ALIGNMENT = 16;

  private GroupedProducts() {}

  /**
   * {@code rows_g @ matrices_g}.
   *
   * @param rows {@code [n, k]}
   * @param matrices {@code [groups, k, m]}, may be a transposed view
   * @return {@code [n, m]}
   */
  public static Tensor rowsByMatrices(Tensor rows, Tensor matrices, Tensor ends) {
    if (rows.device().isMeta()) {
      return Tensors.empty(rows.dtype(), rows.device(), rows.size(0), matrices.size(2));
    }
    // LibTorch's own loop on the CPU goes wrong with single columns of 16 bits, as Products says.
    if (matrices.size(2) == 1 || !kernelTakes(rows) || !kernelTakes(matrices)) {
      return loopRows(rows, matrices, ends);
    }
    return dense(
        Call.of(GROUPED_MM)
            .tensor(rows)
            .tensor(matrices)
            .optionalTensor(ends)
            .none()
            .none()
            .result());
  }

  /**
   * {@code a_gᵀ @ b_g} per group of rows.
   *
   * @param a {@code [n, k]}
   * @param b {@code [n, m]}
   * @return {@code [groups, k, m]}; zeros for an empty group
   */
  public static Tensor outerByGroup(Tensor a, Tensor b, Tensor ends) {
    if (a.device().isMeta()) {
      return Tensors.empty(a.dtype(), a.device(), ends.size(0), a.size(1), b.size(1));
    }
    if (b.size(1) == 1 || !kernelTakes(a) || !kernelTakes(b)) {
      return loopOuter(a, b, ends);
    }
    try (Tensor transposed = Views.transpose(a, 0, 1)) {
      return dense(
          Call.of(GROUPED_MM)
              .tensor(transposed)
              .tensor(b)
              .optionalTensor(ends)
              .none()
              .none()
              .result());
    }
  }

  /** LibTorch pads the rows of a result to multiples of 16 bytes, and leaves the gaps in it. */
  private static Tensor dense(Tensor result) {
    if (result.isContiguous()) {
      return result;
    }
    try (result) {
      return Copies.dense(result);
    }
  }

  /**
   * The kernel has no fp64, and wants rows, or columns, that start at multiples of 16 bytes: of a
   * single column, and of a single row, too.
   */
  private static boolean kernelTakes(Tensor tensor) {
    if (tensor.dtype() == Dtype.FLOAT64) {
      return false;
    }
    long[] strides = TensorHandle.strides(tensor.handle());
    int unaligned = 0;
    for (long stride : strides) {
      unaligned += stride * tensor.dtype().bytes() % KERNEL_ALIGNMENT == 0 ? 0 : 1;
    }
    boolean dense = strides[strides.length - 1] == 1 || strides[strides.length - 2] == 1;
    return dense && unaligned <= 1 && Views.addressOf(tensor) % KERNEL_ALIGNMENT == 0;
  }

  /** The truth that the grouped kernel is tested against; also serves what that refuses. */
  static Tensor loopRows(Tensor rows, Tensor matrices, Tensor ends) {
    Tensor result = Tensors.zeros(rows.dtype(), rows.device(), rows.size(0), matrices.size(2));
    int[] bounds = HostCopy.ints(ends);
    int start = 0;
    for (int group = 0; group < bounds.length; group++) {
      int length = bounds[group] - start;
      if (length > 0) {
        try (Tensor part = Views.narrow(result, 0, start, length);
            Tensor input = Views.narrow(rows, 0, start, length);
            Tensor matrix = Views.row(matrices, group)) {
          Products.mmInto(part, input, matrix, 0);
        }
      }
      start = bounds[group];
    }
    return result;
  }

  static Tensor loopOuter(Tensor a, Tensor b, Tensor ends) {
    int[] bounds = HostCopy.ints(ends);
    Tensor result = Tensors.zeros(a.dtype(), a.device(), bounds.length, a.size(1), b.size(1));
    int start = 0;
    for (int group = 0; group < bounds.length; group++) {
      int length = bounds[group] - start;
      if (length > 0) {
        try (Tensor part = Views.row(result, group);
            Tensor left = Views.narrow(a, 0, start, length);
            Tensor transposed = Views.transpose(left, 0, 1);
            Tensor right = Views.narrow(b, 0, start, length)) {
          Products.mmInto(part, transposed, right, 0);
        }
      }
      start = bounds[group];
    }
    return result;
  }
}
