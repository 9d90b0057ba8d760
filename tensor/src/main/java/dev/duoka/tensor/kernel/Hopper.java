package dev.duoka.tensor.kernel;

import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.DeviceAttribute;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.ffi.cuda.MatrixDtype;
import dev.duoka.ffi.cuda.TensorMap;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/** Kernels behind {@code hopper.cuh}, and how they are launched: a block on each multiprocessor. */
final class Hopper {
  /** What the sources are written for: instructions of exactly this chip. */
  private static final ComputeCapability CAPABILITY = new ComputeCapability(9, 0);

  /** As in the source: threads of a block, boxes of the copy engine, shared memory. */
  private static final int THREADS = 288;

  private static final int BOX_ROWS = 64;
  private static final int BOX_COLUMNS = 64;
  private static final int SHARED_BYTES = 4 * 48 * 1024 + 1024;

  private Hopper() {}

  static KernelFamily family(String file) {
    return new KernelFamily("hopper.cuh", file).withDynamicSharedMemory(SHARED_BYTES);
  }

  /**
   * Whether a device has such instructions. {@code meta}, which stands for a card of today, has.
   */
  static boolean serves(Device device) {
    return device.isMeta()
        || (device.isCuda() && gpu(device).computeCapability().equals(CAPABILITY));
  }

  /** Starts a launch for the dtype and the device of {@code like}. */
  static KernelCall call(KernelFamily kernels, Tensor like, String entry) {
    return kernels
        .call(like, entry)
        .grid(gpu(like.device()).attribute(DeviceAttribute.MULTIPROCESSOR_COUNT))
        .block(THREADS)
        .sharedMemory(SHARED_BYTES);
  }

  /** A dense 16-bit tensor as a matrix of so many rows. */
  static TensorMap map(Tensor tensor, long rows, long columns) {
    return TensorMap.ofMatrix(
        Views.addressOf(tensor),
        Math.max(1, rows),
        columns,
        tensor.dtype() == Dtype.BFLOAT16 ? MatrixDtype.BFLOAT16 : MatrixDtype.FLOAT16,
        BOX_ROWS,
        BOX_COLUMNS);
  }

  private static CudaDevice gpu(Device device) {
    return CudaDriver.find().orElseThrow().device(device.index());
  }
}
