package dev.duoka.tensor;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One allocation, shared by all tensors that view it; leaves the ledger with the last of them. */
final class Storage {
  private final Device device;
  private final MemoryOwner owner;
  private final long bytes;
  private final AtomicInteger tensors = new AtomicInteger(1);
  private final @Nullable Throwable site;

  Storage(Device device, MemoryOwner owner, long bytes) {
    this.device = device;
    this.owner = owner;
    this.bytes = bytes;
    this.site = LiveTensors.onAllocation(this);
    MemoryLedger.of(device).add(owner, bytes);
  }

  Storage retain() {
    tensors.incrementAndGet();
    return this;
  }

  void release() {
    if (tensors.decrementAndGet() == 0) {
      MemoryLedger.of(device).remove(owner, bytes);
      LiveTensors.onRelease(this);
    }
  }

  MemoryOwner owner() {
    return owner;
  }

  long bytes() {
    return bytes;
  }

  @Nullable Throwable site() {
    return site;
  }
}
