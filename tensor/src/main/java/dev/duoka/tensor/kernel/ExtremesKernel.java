package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * The smallest and the largest number of stretches of flat buffers, which are grouped, for the
 * buffers and tables of {@link SquaresKernel}. A group without stretches has infinity and minus
 * infinity; what is no number makes its group none. Launches asynchronously; nothing is read back.
 */
public final class ExtremesKernel {
  private static final KernelFamily KERNELS = new KernelFamily("extremes.cu");
  private static final int THREADS = 256;

  private ExtremesKernel() {}

  /** Whether buffers like this one are served, for a model whose values have this dtype. */
  public static boolean take(Dtype values, Tensor buffer) {
    return KernelFamily.serve(values, buffer.device())
        && (buffer.dtype() == Dtype.FLOAT32 || buffer.dtype() == Dtype.BFLOAT16)
        && KernelFamily.inPacks(buffer, buffer.size(0));
  }

  /**
   * The extremes of each stretch of one buffer.
   *
   * @param buffer fp32 or bf16 {@code [n]}
   * @param table as for {@link SquaresKernel#ofStretches}
   * @param parts fp32 {@code [parts, 2]}; receives the smallest and the largest
   */
  public static void ofStretches(Tensor buffer, Tensor table, Tensor parts) {
    if (buffer.device().isCuda() && table.size(0) > 0) {
      KERNELS
          .call(buffer, "extremes")
          .grid(Math.toIntExact(table.size(0)))
          .block(THREADS)
          .pointer(Views.addressOf(buffer))
          .pointer(Views.addressOf(table))
          .pointer(Views.addressOf(parts))
          .launch();
    }
  }

  /**
   * The extremes of groups of neighbouring parts.
   *
   * @param parts fp32 {@code [parts, 2]}
   * @param ends int64 {@code [groups]}: where each group ends
   * @param ofGroups fp32 {@code [groups, 2]}; receives them
   */
  public static void ofGroups(Tensor parts, Tensor ends, Tensor ofGroups) {
    if (parts.device().isCuda() && ends.size(0) > 0) {
      KERNELS
          .call(Dtype.FLOAT32, parts.device(), "group_extremes", 1)
          .grid(Math.toIntExact(ends.size(0)))
          .block(THREADS)
          .pointer(Views.addressOf(parts))
          .pointer(Views.addressOf(ends))
          .pointer(Views.addressOf(ofGroups))
          .launch();
    }
  }
}
