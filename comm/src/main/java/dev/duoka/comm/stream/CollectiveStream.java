package dev.duoka.comm.stream;

import dev.duoka.comm.ExchangeMarks;
import dev.duoka.comm.Pending;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.cuda.CudaStream;
import dev.duoka.ffi.torch.CudaStreams;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The stream on which one communicator's collectives run beside the rank's computations. A
 * collective begins when what the rank has launched so far is done, and what is launched after
 * {@link Pending#join} waits for it; no host waits. One thread.
 */
public final class CollectiveStream implements AutoCloseable {
  private final CudaDevice gpu;
  private final CudaStream stream;
  private final CudaEvent start;
  private final Deque<CudaEvent> free = new ArrayDeque<>();
  private final List<CudaEvent> all = new ArrayList<>();
  private @Nullable ExchangeMarks marks;

  /** The stream of a communicator on a device. */
  public CollectiveStream(int device) {
    gpu = CudaAvailability.check().orElseThrow().get(device);
    stream = gpu.newStream();
    start = gpu.newEvent();
  }

  /**
   * Launches a collective.
   *
   * @param collective is given the stream
   * @param failure why the exchange has ended, if it has
   */
  public Pending launch(LongConsumer collective, Supplier<@Nullable Throwable> failure) {
    start.record(CudaStreams.current(gpu.ordinal()));
    start.holdBack(stream.handle());
    ExchangeMarks here = marks;
    int began = here == null ? 0 : here.mark(stream.handle());
    collective.accept(stream.handle());
    if (here != null) {
      here.note(began, here.mark(stream.handle()));
    }
    CudaEvent end = free.isEmpty() ? newEvent() : free.pop();
    end.record(stream.handle());
    return new Launched(end, failure);
  }

  /** Has what is launched from now on be marked; null for no longer. */
  public void markWith(@Nullable ExchangeMarks with) {
    marks = with;
  }

  private CudaEvent newEvent() {
    CudaEvent event = gpu.newEvent();
    all.add(event);
    return event;
  }

  private final class Launched implements Pending {
    private final CudaEvent end;
    private final Supplier<@Nullable Throwable> failure;
    private boolean joined;

    Launched(CudaEvent end, Supplier<@Nullable Throwable> failure) {
      this.end = end;
      this.failure = failure;
    }

    @Override
    public void join() {
      if (!joined) {
        joined = true;
        end.holdBack(CudaStreams.current(gpu.ordinal()));
        free.push(end); // what was told to wait for it keeps its mark
      }
    }

    @Override
    public boolean isDone() {
      return joined || end.passed();
    }

    @Override
    public @Nullable Throwable failure() {
      return failure.get();
    }
  }

  /** Waits on the host until all collectives have ended. */
  public void synchronize() {
    CudaDriver.find().orElseThrow().synchronize(stream.handle());
  }

  @Override
  public void close() {
    start.close();
    all.forEach(CudaEvent::close);
    stream.close();
  }
}
