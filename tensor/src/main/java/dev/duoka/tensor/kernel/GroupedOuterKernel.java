package dev.duoka.tensor.kernel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * Weight gradients of experts, {@code a_gᵀ · b_g} for each group of rows, added in fp32 to where
 * they belong: no 16-bit copy of them is made on the way, and no count is read by the host. For
 * compute capability 9.0; launches asynchronously; deterministic.
 */
public final class GroupedOuterKernel {
  private static final KernelFamily KERNELS = Hopper.family("grouped_outer.cu");

  private GroupedOuterKernel() {}

  /**
   * Whether dense rows {@code a [n, m]} and {@code b [n, k]} can be multiplied here. On {@code
   * meta}, which stands for a card of today, the answer is that of compute capability 9.0.
   */
  public static boolean take(Tensor a, Tensor b, Tensor target) {
    boolean half = a.dtype() == Dtype.BFLOAT16 || a.dtype() == Dtype.FLOAT16;
    return half
        && b.dtype() == a.dtype()
        && target.dtype() == Dtype.FLOAT32
        && KernelFamily.serve(a)
        && KernelFamily.inPacks(a, a.size(1))
        && KernelFamily.inPacks(b, b.size(1))
        && KernelFamily.inPacks(target, b.size(1))
        && Hopper.serves(a.device());
  }

  /**
   * {@code target_g (+)= a_gᵀ · b_g}.
   *
   * @param target fp32 {@code [groups, m, k]}
   * @param a {@code [n, m]}
   * @param b {@code [n, k]}
   * @param ends int32 {@code [groups]}: where the rows of each group end
   * @param add whether to add to the target rather than overwrite it
   */
  public static void run(Tensor target, Tensor a, Tensor b, Tensor ends, boolean add) {
    if (target.elements() != ends.size(0) * a.size(1) * b.size(1) || a.size(0) != b.size(0)) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot add the products of " + a + "ᵀ and " + b + " by " + ends + " to " + target,
          "");
    }
    if (!a.device().isCuda() || target.elements() == 0) {
      return;
    }
    Hopper.call(KERNELS, a, "grouped_outer")
        .structure(Hopper.map(a, a.size(0), a.size(1)))
        .structure(Hopper.map(b, b.size(0), b.size(1)))
        .pointer(Views.addressOf(ends))
        .pointer(Views.addressOf(target))
        .integer(Math.toIntExact(ends.size(0)))
        .integer(Math.toIntExact(a.size(1)))
        .integer(Math.toIntExact(b.size(1)))
        .integer(add ? 1 : 0)
        .launch();
  }
}
