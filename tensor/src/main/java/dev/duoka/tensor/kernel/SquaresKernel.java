package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Sums of squares in fp64 over stretches of flat fp32 or bf16 buffers, which are grouped: all
 * stretches of one weight, say. Always in the same order. Launches asynchronously; nothing is read
 * back.
 */
public final class SquaresKernel {
  private static final KernelFamily KERNELS = new KernelFamily("squares.cu");

  /**
   * The longest stretch that one block should sum, in elements: short enough for the few of an
   * adapter's matrices to be many blocks.
   */
  public static final int STRETCH = 1 << 14;

  private static final int THREADS = 256;

  private SquaresKernel() {}

  /** Whether buffers like this one are summed here, for a model whose values have this dtype. */
  public static boolean take(Dtype values, Tensor buffer) {
    return KernelFamily.serve(values, buffer.device())
        && (buffer.dtype() == Dtype.FLOAT32 || buffer.dtype() == Dtype.BFLOAT16)
        && KernelFamily.inPacks(buffer, buffer.size(0));
  }

  /**
   * Sums the squares of each stretch of one buffer.
   *
   * @param buffer fp32 or bf16 {@code [n]}
   * @param table int64 {@code [stretches, 3]}: start, length (both multiples of 4), place in {@code
   *     parts}
   * @param parts fp64; receives the sums
   */
  public static void ofStretches(Tensor buffer, Tensor table, Tensor parts) {
    if (buffer.device().isCuda() && table.size(0) > 0) {
      KERNELS
          .call(buffer, "squares")
          .grid(Math.toIntExact(table.size(0)))
          .block(THREADS)
          .pointer(Views.addressOf(buffer))
          .pointer(Views.addressOf(table))
          .pointer(Views.addressOf(parts))
          .launch();
    }
  }

  /**
   * Sums groups of neighbouring parts.
   *
   * @param parts fp64
   * @param ends int64 {@code [groups]}: where each group ends
   * @param sums fp64 {@code [groups]}; receives the sums
   */
  public static void ofGroups(Tensor parts, Tensor ends, Tensor sums) {
    if (parts.device().isCuda() && ends.size(0) > 0) {
      KERNELS
          .call(Dtype.FLOAT32, parts.device(), "sum_groups", 1)
          .grid(Math.toIntExact(ends.size(0)))
          .block(THREADS)
          .pointer(Views.addressOf(parts))
          .pointer(Views.addressOf(ends))
          .pointer(Views.addressOf(sums))
          .launch();
    }
  }

  /** Adds fp64 {@code values} from the first to the last: fp64 {@code [1]}. */
  public static Tensor inOrder(Tensor values) {
    Tensor sum = Tensors.empty(Dtype.FLOAT64, values.device(), 1);
    if (values.device().isCuda()) {
      KERNELS
          .call(Dtype.FLOAT32, values.device(), "sum_in_order", 1)
          .grid(1)
          .block(1)
          .pointer(Views.addressOf(values))
          .integer(Math.toIntExact(values.size(0)))
          .pointer(Views.addressOf(sum))
          .launch();
    }
    return sum;
  }
}
