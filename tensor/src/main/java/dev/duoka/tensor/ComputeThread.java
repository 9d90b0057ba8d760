package dev.duoka.tensor;

import dev.duoka.base.Uninterruptibly;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.Threads;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

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
   * Runs {@code work} on a thread of its own and {@code meanwhile} on the calling one, and returns
   * when both are done. What the first allocates on the device is booked by the calling thread's
   * ledger, and it issues to the device's default stream. Of two failures that of the work is
   * thrown.
   *
   * @param device that the calling thread is bound to
   */
  public static void sideBySide(Device device, Runnable work, Runnable meanwhile) {
    int threads = threads();
    ThreadLedger.Opened ledgers = ThreadLedger.opened();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Thread other =
        Thread.ofPlatform()
            .name(Thread.currentThread().getName() + "-beside")
            .start(
                () -> {
                  try {
                    prepare(threads);
                    if (device.isCuda()) {
                      CudaStreams.useDevice(device.index());
                    }
                    ledgers.book(work);
                  } catch (RuntimeException | Error e) {
                    failure.set(e);
                  }
                });
    Throwable here = null;
    try {
      meanwhile.run();
    } catch (RuntimeException | Error e) {
      here = e;
    } finally {
      Uninterruptibly.join(other); // it writes into what the caller may free
    }
    Throwable first = failure.get();
    if (first == null) {
      first = here;
    } else if (here != null) {
      first.addSuppressed(here);
    }
    switch (first) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
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
