package dev.duoka.tensor;

import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.Threads;

/** Prepares a thread to compute. */
public final class ComputeThread {
  private ComputeThread() {}

  /** How many CPU threads the operators of the calling thread use. */
  public static int threads() {
    return Threads.ofOperators().orElse(1);
  }

  /** Has the calling thread, which works beside one that computes, use so many CPU threads. */
  public static void prepare(int threads) {
    Threads.useForThisThread(threads);
  }

  /**
   * Binds the calling thread to a device and a number of CPU threads.
   *
   * @param threads how many CPU threads its operators use
   * @param neighbours how many threads of this process compute at the same time, this one included
   */
  public static void prepare(Device device, int threads, int neighbours) {
    Threads.useForThisThread(threads);
    // OpenBLAS counts for the whole process, and lets concurrent callers wait for each other.
    Threads.useForMatrixProducts(neighbours == 1 ? threads : 1);
    if (device.isCuda()) {
      CudaStreams.useDevice(device.index());
    }
  }
}
