package dev.duoka.tensor.kernel;

import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of a type in host memory. Threads that work on them see memory alone: a tensor belongs to
 * the thread that owns it.
 */
record HostNumbers(HostMemory bytes, Dtype dtype) {
  /** Those of a dense tensor on the CPU. */
  static HostNumbers of(Tensor tensor) {
    return new HostNumbers(HostCopy.memoryOf(tensor), tensor.dtype());
  }

  static @Nullable HostNumbers orNone(@Nullable Tensor tensor) {
    return tensor == null ? null : of(tensor);
  }

  /** A window on some of them. */
  ByteBuffer stretch(long start, long length) {
    int size = dtype.bytes();
    return bytes.asSlice(start * size, length * size).asByteBuffer().order(ByteOrder.nativeOrder());
  }
}
