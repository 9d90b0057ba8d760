package dev.duoka.parallel.state;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Resources;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostTransfer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The thread of a rank that works on states in host memory, in the order in which it is asked,
 * while the rank's own thread launches; and the copies that it needs. On {@code meta} the rank's
 * thread does the work itself.
 */
final class HostWorker implements AutoCloseable {
  /** Buffers of one length for gradients that are added to others. */
  private static final int BUFFERS = 2;

  private final HostTransfer transfer;
  private final Device host;
  private final @Nullable ExecutorService thread;
  private final Map<Dtype, Slots> slots = new EnumMap<>(Dtype.class);
  private final Deque<Addend> addends = new ArrayDeque<>();
  private final List<HostTransfer.Mark> coming = new ArrayList<>();
  private final Resources locks = new Resources();
  private HostTransfer.Mark lastUse = HostTransfer.Mark.NONE;

  /** Gradients that are being added. */
  private record Addend(Tensor buffer, Future<?> added) {}

  HostWorker(Device device) {
    host = device.host();
    transfer = new HostTransfer(device);
    int threads = ComputeThread.threads();
    thread =
        device.isMeta()
            ? null
            : Executors.newSingleThreadExecutor(
                Thread.ofPlatform()
                    .daemon()
                    .name(Thread.currentThread().getName() + "-states")
                    .factory());
    if (thread != null) {
      thread.execute(() -> ComputeThread.prepare(threads));
    }
  }

  /** The device of host memory. */
  Device host() {
    return host;
  }

  HostTransfer transfer() {
    return transfer;
  }

  /** A mark behind everything that may still use the weights; the one of before is forgotten. */
  HostTransfer.Mark markUse() {
    lastUse.forget();
    lastUse = transfer.now();
    return lastUse;
  }

  /** Has the thread do something. */
  <T> Future<T> submit(Callable<T> work) {
    if (thread != null) {
      return thread.submit(work);
    }
    try {
      return CompletableFuture.completedFuture(work.call());
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** What some work gave, or the failure that it met; waits for it. */
  static <T> T await(Future<T> work) {
    try {
      return work.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(
          ErrorCode.RANK_LOST, "interrupted while the host updates weights", "", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Notes a copy to the host, for {@link #awaitGradients}. */
  void note(HostTransfer.Mark copy) {
    coming.add(copy);
  }

  /** A buffer in host memory for gradients on their way. */
  Tensor buffer(Dtype dtype, long length) {
    Slots ofDtype =
        slots.computeIfAbsent(dtype, _ -> new Slots(dtype, host, MemoryOwner.COMMUNICATION));
    while (!ofDtype.hasFree(length)
        && ofDtype.count(length) >= BUFFERS
        && addends.stream().anyMatch(it -> ofDtype.lent(it.buffer(), length))) {
      settle();
    }
    boolean isNew = !ofDtype.hasFree(length);
    Tensor buffer = ofDtype.take(length);
    if (isNew) {
      locks.own(transfer.lock(buffer));
    }
    return buffer;
  }

  /** Notes that a buffer is free again after some work. */
  void lend(Tensor buffer, Future<?> added) {
    addends.add(new Addend(buffer, added));
  }

  private void settle() {
    Addend oldest = addends.remove();
    await(oldest.added());
    Slots ofDtype = slots.get(oldest.buffer().dtype());
    if (ofDtype != null) {
      ofDtype.giveBack(oldest.buffer());
    }
  }

  /** Waits until all gradients have come and are added. */
  void awaitGradients() {
    for (HostTransfer.Mark copy : coming) {
      copy.await();
      copy.forget();
    }
    coming.clear();
    while (!addends.isEmpty()) {
      settle();
    }
  }

  /** Waits until the thread has nothing to do and no copy is on its way, whatever came of it. */
  void drain() {
    if (thread != null && !thread.isShutdown()) {
      try {
        await(thread.submit(transfer::await));
      } catch (DuokaException e) {
        // Of the wait itself: what failed before was told to whoever asked for it.
      }
    }
  }

  /** Waits for the work at hand. */
  @Override
  public void close() {
    drain();
    try (Resources owned = new Resources()) {
      slots.values().forEach(owned::own);
      owned.own(locks);
      owned.own(transfer);
      if (thread != null) {
        owned.own(thread);
      }
    }
  }
}
