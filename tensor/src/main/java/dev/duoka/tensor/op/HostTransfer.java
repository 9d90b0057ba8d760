package dev.duoka.tensor.op;

import dev.duoka.base.Resources;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.cuda.CudaStream;
import dev.duoka.ffi.cuda.PageLock;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Copies between a GPU and host memory beside what the GPU computes, on a stream for each way. On
 * any other device a copy has ended when it returns. Thread-safe.
 */
public final class HostTransfer implements AutoCloseable {
  private final @Nullable CudaDevice gpu;
  private final @Nullable CudaStream leaving;
  private final @Nullable CudaStream arriving;
  private final Deque<CudaEvent> free = new ArrayDeque<>();
  private final List<CudaEvent> events = new ArrayList<>();
  private final Resources owned;

  /** The end of a copy, or of what was launched before it. */
  public static final class Mark {
    /** Nothing to wait for. */
    public static final Mark NONE = new Mark(null, null);

    private final @Nullable HostTransfer of;
    private @Nullable CudaEvent event;

    private Mark(@Nullable HostTransfer of, @Nullable CudaEvent event) {
      this.of = of;
      this.event = event;
    }

    /** Waits until the copy has ended. */
    public void await() {
      CudaEvent end = event;
      if (end != null) {
        end.synchronize();
      }
    }

    /** Holds back what the calling thread launches on its current stream from now on. */
    public void holdBack() {
      CudaEvent end = event;
      if (end != null && of != null && of.gpu != null) {
        end.holdBack(CudaStreams.current(of.gpu.ordinal()));
      }
    }

    /** Says that nobody asks any more. */
    public void forget() {
      CudaEvent end = event;
      event = null;
      if (end != null && of != null) {
        of.giveBack(end);
      }
    }
  }

  /** For tensors of one device. */
  public HostTransfer(Device device) {
    if (!device.isCuda()) {
      gpu = null;
      leaving = null;
      arriving = null;
      owned = new Resources();
      return;
    }
    gpu = CudaAvailability.check().orElseThrow().get(device.index());
    try (Resources made = new Resources()) {
      leaving = made.own(gpu.newStream());
      arriving = made.own(gpu.newStream());
      owned = made.release();
    }
  }

  /**
   * Locks the pages of a host tensor as long as this lives, so that copies of it wait for nobody.
   * It must outlive this. Does nothing where the device is none.
   */
  public void lock(Tensor host) {
    if (gpu != null && host.bytes() > 0) {
      owned.own(new PageLock(gpu, Views.addressOf(host), host.bytes()));
    }
  }

  /** What the calling thread has launched on its current stream so far. */
  public Mark now() {
    if (gpu == null) {
      return Mark.NONE;
    }
    CudaEvent event = take(gpu);
    event.record(CudaStreams.current(gpu.ordinal()));
    return new Mark(this, event);
  }

  /**
   * Launches a copy to the host, after everything that the calling thread has launched so far.
   *
   * @param host dense, of the same dtype and length
   */
  public Mark toHost(Tensor host, Tensor ofDevice) {
    return copy(leaving, host, ofDevice, now());
  }

  /**
   * Launches a copy to the device.
   *
   * @param after what it waits for
   */
  public Mark toDevice(Tensor ofDevice, Tensor host, Mark after) {
    return copy(arriving, ofDevice, host, after);
  }

  /** Waits until all copies have ended. */
  public void await() {
    if (leaving != null && arriving != null) {
      CudaDriver driver = CudaDriver.find().orElseThrow();
      driver.synchronize(leaving.handle());
      driver.synchronize(arriving.handle());
    }
  }

  private Mark copy(@Nullable CudaStream stream, Tensor target, Tensor source, Mark after) {
    if (gpu == null || stream == null) {
      Copies.into(target, source);
      return Mark.NONE;
    }
    requireCopyable(target, source);
    gpu.useOnThisThread();
    CudaEvent before = after.event;
    if (before != null) {
      before.holdBack(stream.handle());
    }
    CudaDriver driver = CudaDriver.find().orElseThrow();
    long to = Views.addressOf(target);
    long from = Views.addressOf(source);
    if (stream == leaving) {
      driver.copyToHost(to, from, source.bytes(), stream.handle());
    } else {
      driver.copyToDevice(to, from, source.bytes(), stream.handle());
    }
    CudaEvent end = take(gpu);
    end.record(stream.handle());
    return new Mark(this, end);
  }

  private static void requireCopyable(Tensor target, Tensor source) {
    if (target.dtype() != source.dtype()
        || target.elements() != source.elements()
        || !target.isContiguous()
        || !source.isContiguous()) {
      throw new IllegalArgumentException("no plain copy of " + source + " to " + target);
    }
  }

  private CudaEvent take(CudaDevice of) {
    synchronized (free) {
      if (!free.isEmpty()) {
        return free.pop();
      }
      CudaEvent event = of.newEvent();
      events.add(event);
      return event;
    }
  }

  private void giveBack(CudaEvent event) {
    synchronized (free) {
      free.push(event);
    }
  }

  /** Frees streams and locks; nothing may be on its way. */
  @Override
  public void close() {
    events.forEach(CudaEvent::close);
    owned.close();
  }
}
