package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Resources;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.cuda.CudaStream;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.ffi.cuda.PageLock;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Copies between a GPU and host memory beside what the GPU computes, on a stream for each way. On
 * any other device a copy has ended when it returns. Thread-safe, but for {@link #close}: nobody
 * may use it then or later, marks included.
 */
public final class HostTransfer implements AutoCloseable {
  private final @Nullable CudaDevice gpu;
  private final @Nullable CudaStream leaving;
  private final @Nullable CudaStream arriving;
  private final @Nullable Reused<CudaEvent> events;
  private final Resources owned;

  /**
   * The end of a copy, or of what was launched before it. Threads may hand it on; nobody may ask it
   * while, or after, another forgets it.
   */
  public static final class Mark {
    /** Nothing to wait for. */
    public static final Mark NONE = new Mark(null, null);

    private final @Nullable HostTransfer of;
    private final AtomicReference<@Nullable CudaEvent> event;

    private Mark(@Nullable HostTransfer of, @Nullable CudaEvent event) {
      this.of = of;
      this.event = new AtomicReference<>(event);
    }

    /** Waits until the copy has ended. */
    public void await() {
      CudaEvent end = event.get();
      if (end != null && of != null && of.gpu != null) {
        of.gpu.useOnThisThread(); // it may be a thread that has no device yet
        end.synchronize();
      }
    }

    /** Whether the copy has ended. */
    public boolean isReached() {
      CudaEvent end = event.get();
      return end == null || end.passed();
    }

    /** Holds back what the calling thread launches on its current stream from now on. */
    public void holdBack() {
      CudaEvent end = event.get();
      if (end != null && of != null && of.gpu != null) {
        end.holdBack(CudaStreams.current(of.gpu.ordinal()));
      }
    }

    /** Says that nobody asks any more; a second call does nothing. */
    public void forget() {
      CudaEvent end = event.getAndSet(null);
      if (end != null && of != null && of.events != null) {
        of.events.giveBack(end);
      }
    }
  }

  /**
   * A stream for kernels beside the one that threads launch on; on other devices than GPUs there is
   * but one order, and it does nothing. Belongs to a transfer, which closes it.
   */
  public final class Lane {
    private final @Nullable CudaStream stream;

    private Lane(@Nullable CudaStream stream) {
      this.stream = stream;
    }

    /** Launches a kernel. */
    public void launch(KernelCall kernel) {
      if (stream != null) {
        kernel.launch(stream.handle());
      } else {
        kernel.launch();
      }
    }

    /** Holds back what is launched on it from now on. */
    public void holdBack(Mark until) {
      CudaEvent end = until.event.get();
      if (end != null && stream != null) {
        end.holdBack(stream.handle());
      }
    }

    /** What was launched on it so far. */
    public Mark now() {
      return stream == null ? Mark.NONE : mark(stream.handle());
    }
  }

  /** For tensors of one device. */
  public HostTransfer(Device device) {
    if (!device.isCuda()) {
      gpu = null;
      leaving = null;
      arriving = null;
      events = null;
      owned = new Resources();
      return;
    }
    CudaDevice card = CudaAvailability.check().orElseThrow().get(device.index());
    gpu = card;
    try (Resources made = new Resources()) {
      events = made.own(new Reused<>(card::newEvent));
      leaving = made.own(gpu.newStream());
      arriving = made.own(gpu.newStream());
      owned = made.release();
    }
  }

  /**
   * Locks the pages of a host tensor, so that copies of it wait for nobody. Does nothing where the
   * device is no GPU.
   *
   * @return what unlocks them; to be closed before the tensor
   */
  public AutoCloseable lock(Tensor host) {
    if (gpu == null || host.bytes() == 0) {
      return () -> {};
    }
    return new PageLock(gpu, Views.addressOf(host), host.bytes());
  }

  /**
   * Another stream for kernels, which go before those of the threads' streams: what they wait for
   * has come, and a copy waits for them.
   */
  public Lane newLane() {
    if (gpu == null) {
      return new Lane(null);
    }
    synchronized (owned) {
      return new Lane(owned.own(gpu.newUrgentStream()));
    }
  }

  /** What the calling thread has launched on its current stream so far. */
  public Mark now() {
    return gpu == null ? Mark.NONE : mark(CudaStreams.current(gpu.ordinal()));
  }

  private Mark mark(long stream) {
    CudaEvent event = Objects.requireNonNull(events, "no GPU has streams").take();
    event.record(stream);
    return new Mark(this, event);
  }

  /**
   * Launches a copy to the host, after everything that the calling thread has launched so far.
   *
   * @param host dense, of the same dtype and length
   */
  public Mark toHost(Tensor host, Tensor ofDevice) {
    Mark before = now();
    try {
      return toHost(List.of(host), List.of(ofDevice), before);
    } finally {
      before.forget();
    }
  }

  /**
   * Launches copies to the host.
   *
   * @param host each as the other in its place
   * @param after what they wait for, beside the copies to the host that were launched before
   * @return the end of all of them
   */
  public Mark toHost(List<Tensor> host, List<Tensor> ofDevice, Mark... after) {
    return copy(leaving, host, ofDevice, after);
  }

  /**
   * Launches a copy to the device.
   *
   * @param after what it waits for
   */
  public Mark toDevice(Tensor ofDevice, Tensor host, Mark after) {
    return toDevice(List.of(ofDevice), List.of(host), after);
  }

  /** As {@link #toHost(List, List, Mark...)}, the other way. */
  public Mark toDevice(List<Tensor> ofDevice, List<Tensor> host, Mark... after) {
    return copy(arriving, ofDevice, host, after);
  }

  /**
   * Launches copies of rows to the host, after everything that the calling thread has launched so
   * far and the copies launched before. What is launched meanwhile by the same thread goes the same
   * way, memory that it frees included: numbers may be converted on the device first.
   *
   * @param work copies what is on the device to memory of a {@link PageLockedTensor}, and host
   *     memory at once; it must hold back nothing for the caller, whose stream it is not on
   * @return the end of all of them
   */
  public Mark rowsToHost(Consumer<RowCopy> work) {
    CudaDevice on = gpu;
    CudaStream stream = leaving;
    if (on == null || stream == null) {
      work.accept(Copies::into);
      return Mark.NONE;
    }
    on.useOnThisThread();
    Mark before = now();
    CudaEvent launched = before.event.get();
    if (launched != null) {
      launched.holdBack(stream.handle());
    }
    before.forget();
    try {
      CudaStreams.on(
          stream.handle(),
          on.ordinal(),
          () -> work.accept((target, source) -> rowsToHost(target, source, stream.handle())));
    } catch (Throwable t) { // whoever owns the memory knows of no copy, and may free it
      try {
        CudaDriver.find().orElseThrow().synchronize(stream.handle());
      } catch (DuokaException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
    return mark(stream.handle());
  }

  private static void rowsToHost(Tensor target, Tensor source, long stream) {
    if (!source.device().isCuda()) {
      Copies.into(target, source);
      return;
    }
    if (source.dtype() != target.dtype()) {
      try (Tensor converted = Copies.cast(source, target.dtype())) {
        rowsToHost(target, converted, stream);
      }
      return;
    }
    boolean dense = target.isContiguous() && source.isContiguous();
    long rows = dense ? 1 : target.size(0);
    long rowBytes = dense ? target.bytes() : target.size(1) * target.dtype().bytes();
    long to = Views.addressOf(target);
    long from = Views.addressOf(source);
    long targetPitch = dense ? rowBytes : pitch(target);
    long sourcePitch = dense ? rowBytes : pitch(source);
    CudaDriver driver = CudaDriver.find().orElseThrow();
    for (long row = 0; row < rows; ) {
      long start = to + row * targetPitch;
      long room = PageLockedTensor.endOfPiece(start) - start;
      // Rows that end within the piece; a single one may have to be cut.
      long whole = room < rowBytes ? 0 : (room - rowBytes) / Math.max(1, targetPitch) + 1;
      long source0 = from + row * sourcePitch;
      if (whole == 0) {
        stretchToHost(driver, start, source0, rowBytes, stream);
        row++;
      } else {
        long count = Math.min(whole, rows - row);
        driver.copyRowsToHost(start, targetPitch, source0, sourcePitch, rowBytes, count, stream);
        row += count;
      }
    }
  }

  private static long pitch(Tensor rows) {
    return TensorHandle.strides(rows.handle())[0] * rows.dtype().bytes();
  }

  /** A single row, cut where pieces of locked memory end. */
  private static void stretchToHost(
      CudaDriver driver, long to, long from, long bytes, long stream) {
    for (long done = 0; done < bytes; ) {
      long length = Math.min(bytes - done, PageLockedTensor.endOfPiece(to + done) - to - done);
      driver.copyToHost(to + done, from + done, length, stream);
      done += length;
    }
  }

  /** Waits until all copies have ended. */
  public void await() {
    if (leaving != null && arriving != null) {
      CudaDriver driver = CudaDriver.find().orElseThrow();
      driver.synchronize(leaving.handle());
      driver.synchronize(arriving.handle());
    }
  }

  private Mark copy(
      @Nullable CudaStream stream, List<Tensor> targets, List<Tensor> sources, Mark... after) {
    if (gpu == null || stream == null) {
      for (int i = 0; i < targets.size(); i++) {
        Copies.into(targets.get(i), sources.get(i));
      }
      return Mark.NONE;
    }
    gpu.useOnThisThread();
    for (Mark one : after) {
      CudaEvent before = one.event.get();
      if (before != null) {
        before.holdBack(stream.handle());
      }
    }
    CudaDriver driver = CudaDriver.find().orElseThrow();
    for (int i = 0; i < targets.size(); i++) {
      Tensor target = targets.get(i);
      Tensor source = sources.get(i);
      requireCopyable(target, source);
      long to = Views.addressOf(target);
      long from = Views.addressOf(source);
      if (stream == leaving) {
        driver.copyToHost(to, from, source.bytes(), stream.handle());
      } else {
        driver.copyToDevice(to, from, source.bytes(), stream.handle());
      }
    }
    return mark(stream.handle());
  }

  private static void requireCopyable(Tensor target, Tensor source) {
    if (target.dtype() != source.dtype()
        || target.elements() != source.elements()
        || !target.isContiguous()
        || !source.isContiguous()) {
      throw new IllegalArgumentException("no plain copy of " + source + " to " + target);
    }
  }

  /** Frees streams and events; nothing may be on its way. */
  @Override
  public void close() {
    synchronized (owned) {
      owned.close();
    }
  }
}
