package dev.duoka.tensor.kernel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.DeviceAttribute;
import dev.duoka.ffi.cuda.MatrixDtype;
import dev.duoka.ffi.cuda.TensorMap;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * Weight gradients of experts, {@code a_gᵀ · b_g} for each group of rows, added in fp32 to where
 * they belong: no 16-bit copy of them is made on the way, and no count is read by the host. For
 * compute capability 9.0; launches asynchronously; deterministic.
 */
public final class GroupedOuterKernel {
  /** What the source is written for: instructions of exactly this chip. */
  private static final ComputeCapability HOPPER = new ComputeCapability(9, 0);

  /** As in the source: threads of a block, boxes of the copy engine, shared memory. */
  private static final int THREADS = 288;

  private static final int BOX_ROWS = 64;
  private static final int BOX_COLUMNS = 64;
  private static final int SHARED_BYTES = 4 * 48 * 1024 + 1024;

  private static final KernelFamily KERNELS =
      new KernelFamily("grouped_outer.cu").withDynamicSharedMemory(SHARED_BYTES);

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
        && (a.device().isMeta() || device(a).computeCapability().equals(HOPPER));
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
    KERNELS
        .call(a, "grouped_outer")
        .grid(device(a).attribute(DeviceAttribute.MULTIPROCESSOR_COUNT))
        .block(THREADS)
        .sharedMemory(SHARED_BYTES)
        .structure(map(a))
        .structure(map(b))
        .pointer(Views.addressOf(ends))
        .pointer(Views.addressOf(target))
        .integer(Math.toIntExact(ends.size(0)))
        .integer(Math.toIntExact(a.size(1)))
        .integer(Math.toIntExact(b.size(1)))
        .integer(add ? 1 : 0)
        .launch();
  }

  private static TensorMap map(Tensor matrix) {
    return TensorMap.ofMatrix(
        Views.addressOf(matrix),
        Math.max(1, matrix.size(0)),
        matrix.size(1),
        matrix.dtype() == Dtype.BFLOAT16 ? MatrixDtype.BFLOAT16 : MatrixDtype.FLOAT16,
        BOX_ROWS,
        BOX_COLUMNS);
  }

  private static CudaDevice device(Tensor tensor) {
    return CudaDriver.find().orElseThrow().device(tensor.device().index());
  }
}
