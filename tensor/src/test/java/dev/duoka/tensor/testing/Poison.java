package dev.duoka.tensor.testing;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.Tensors;

/** Makes memory that was never written show in results. */
public final class Poison {
  private Poison() {}

  /**
   * Fills the memory that LibTorch's allocator hands out next with NaN, in the sizes of its small
   * and its large blocks: a kernel that leaves a part of its output unwritten is found out.
   */
  public static void freeMemory(Device device) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (int i = 0; i < 64; i++) {
        var _ = Tensors.full(Double.NaN, Dtype.FLOAT32, device, 1L << 16);
      }
      var _ = Tensors.full(Double.NaN, Dtype.FLOAT32, device, 1L << 24);
    }
  }

  /** Fills the memory that the next few tensors of this size get with NaN. */
  public static void memoryOf(Dtype dtype, Device device, long... shape) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (int i = 0; i < 8; i++) { // more than a test has freed of this size before
        var _ = Tensors.full(Double.NaN, dtype, device, shape);
      }
    }
  }
}
