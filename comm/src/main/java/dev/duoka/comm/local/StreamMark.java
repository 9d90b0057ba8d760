package dev.duoka.comm.local;

import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.tensor.Device;
import org.jspecify.annotations.Nullable;

/**
 * A point in what a rank has launched, for which other ranks' streams can wait without any host
 * waiting. On the CPU, where nothing is launched ahead, it is always reached.
 */
final class StreamMark implements AutoCloseable {
  private @Nullable CudaEvent event;

  /** Marks everything that the calling thread has launched on its current stream so far. */
  void set(Device device) {
    if (!device.isCuda()) {
      return;
    }
    CudaEvent marked = event;
    if (marked == null) {
      marked = CudaAvailability.check().orElseThrow().get(device.index()).newEvent();
      event = marked;
    }
    marked.record(CudaStreams.current(device.index()));
  }

  /** Holds back what the calling thread launches from now on. */
  void holdBack(Device device) {
    CudaEvent marked = event;
    if (marked != null && device.isCuda()) {
      marked.holdBack(CudaStreams.current(device.index()));
    }
  }

  /** Whether the device has reached it. */
  boolean isReached() {
    CudaEvent marked = event;
    return marked == null || marked.passed();
  }

  @Override
  public void close() {
    CudaEvent marked = event;
    event = null;
    if (marked != null) {
      marked.close();
    }
  }
}
