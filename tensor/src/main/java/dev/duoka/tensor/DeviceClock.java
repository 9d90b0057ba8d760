package dev.duoka.tensor;

import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.torch.CudaStreams;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Marks moments of a device's own time: on CUDA by events on the calling thread's stream, which
 * cost a microsecond and do not wait; elsewhere by the system's clock. One thread.
 */
public final class DeviceClock implements AutoCloseable {
  private final @Nullable CudaDevice gpu;
  private final List<CudaEvent> events = new ArrayList<>();
  private final List<Long> times = new ArrayList<>();
  private int marks;

  /** A clock of {@code device}. */
  public DeviceClock(Device device) {
    gpu = device.isCuda() ? CudaAvailability.check().orElseThrow().get(device.index()) : null;
  }

  /** Marks this moment; returns its number. */
  public int mark() {
    if (gpu == null) {
      times.add(System.nanoTime());
      return marks++;
    }
    if (marks == events.size()) {
      events.add(gpu.newEvent());
    }
    events.get(marks).record(CudaStreams.current(gpu.ordinal()));
    return marks++;
  }

  /**
   * Marks when another stream of the device gets here; returns the mark's number.
   *
   * @param stream its handle; without a meaning where the device is no GPU
   */
  public int mark(long stream) {
    if (gpu == null) {
      return mark();
    }
    if (marks == events.size()) {
      events.add(gpu.newEvent());
    }
    events.get(marks).record(stream);
    return marks++;
  }

  /** Milliseconds from the first mark to mark {@code number}; waits until the device was there. */
  public double milliseconds(int number) {
    if (gpu == null) {
      return (times.get(number) - times.getFirst()) * 1e-6;
    }
    events.get(number).synchronize();
    return events.get(number).millisecondsSince(events.getFirst());
  }

  /** Forgets all marks. */
  public void reset() {
    marks = 0;
    times.clear();
  }

  @Override
  public void close() {
    events.forEach(CudaEvent::close);
    events.clear();
  }
}
