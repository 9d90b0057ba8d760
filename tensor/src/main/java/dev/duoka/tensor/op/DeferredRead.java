package dev.duoka.tensor.op;

import dev.duoka.base.Resources;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Reads a few numbers from a device without making it wait: {@link #start} launches the copy,
 * {@link #await} waits for that copy only, when later work is already launched. Reusable, one
 * reading at a time; one thread. On the CPU the numbers are copied at once, and on {@code meta}
 * they are zeros.
 */
public final class DeferredRead implements AutoCloseable {
  /** Page-locked, for CUDA only: elsewhere the numbers are read at once. */
  private final @Nullable Tensor host;

  private final @Nullable CudaEvent arrived;
  private double[] numbers;
  private long nanoTime;

  /** For tensors of {@code elements} numbers of one dtype on one device. */
  public DeferredRead(Device device, Dtype dtype, int elements) {
    numbers = new double[elements];
    if (!device.isCuda()) {
      host = null;
      arrived = null;
      return;
    }
    try (Resources made = new Resources();
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      arrived = made.own(CudaAvailability.check().orElseThrow().get(device.index()).newEvent());
      host = Scope.detach(Tensors.emptyPinned(dtype, elements));
      made.release();
    }
  }

  /** Launches the copy of {@code values}, which may be freed or overwritten right after. */
  public void start(Tensor values) {
    if (host != null && arrived != null) {
      Copies.intoAsync(host, values);
      arrived.record(CudaStreams.current(values.device().index()));
    } else if (!values.device().isMeta()) {
      numbers = HostCopy.doubles(values);
    }
    nanoTime = System.nanoTime();
  }

  /**
   * Seconds from the moment that the numbers of {@code earlier} were there to the moment that these
   * were, by the device's own clock; waits until they are. Both were started.
   */
  public double secondsSince(DeferredRead earlier) {
    if (arrived == null || earlier.arrived == null) {
      return (nanoTime - earlier.nanoTime) * 1e-9;
    }
    arrived.synchronize();
    return arrived.millisecondsSince(earlier.arrived) * 1e-3;
  }

  /** The numbers of the last {@link #start}; waits until they are there. */
  public double[] await() {
    if (host != null && arrived != null) {
      arrived.synchronize();
      numbers = HostCopy.doubles(host);
    }
    return numbers.clone();
  }

  @Override
  public void close() {
    if (host != null) {
      host.close();
    }
    if (arrived != null) {
      arrived.close();
    }
  }
}
