package dev.duoka.tensor;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One allocation, shared by all tensors that view it; leaves the ledger with the last of them. */
final class Storage {
  private final Device device;
  private MemoryOwner owner;
  private final long bytes;
  private final AtomicInteger tensors = new AtomicInteger(1);
  private final @Nullable Throwable site;

  /** The ledger of the thread that made it, if that keeps one. */
  private final @Nullable MemoryLedger ofThread;

  Storage(Device device, MemoryOwner owner, long bytes) {
    this.device = device;
    this.owner = owner;
    this.bytes = bytes;
    this.site = LiveTensors.onAllocation(this);
    this.ofThread = ThreadLedger.current(device);
    MemoryLedger.of(device).add(owner, bytes);
    if (ofThread != null) {
      ofThread.add(owner, bytes);
    }
  }

  Storage retain() {
    tensors.incrementAndGet();
    return this;
  }

  /** Books the memory on another owner from now on. */
  synchronized void bookOn(MemoryOwner other) {
    if (other != owner && tensors.get() > 0) {
      MemoryLedger.of(device).move(owner, other, bytes);
      if (ofThread != null) {
        ofThread.move(owner, other, bytes);
      }
      owner = other;
    }
  }

  synchronized void release() {
    if (tensors.decrementAndGet() == 0) {
      MemoryLedger.of(device).remove(owner, bytes);
      if (ofThread != null) {
        ofThread.remove(owner, bytes);
      }
      LiveTensors.onRelease(this);
    }
  }

  synchronized MemoryOwner owner() {
    return owner;
  }

  long bytes() {
    return bytes;
  }

  @Nullable Throwable site() {
    return site;
  }
}
