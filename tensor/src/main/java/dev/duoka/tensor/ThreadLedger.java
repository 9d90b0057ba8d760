package dev.duoka.tensor;

import org.jspecify.annotations.Nullable;

/**
 * A ledger of what one thread allocates on one device, beside the device's own: where several ranks
 * share a device, or the host's memory, it tells what one of them holds.
 *
 * <pre>{@code
 * try (ThreadLedger mine = ThreadLedger.open(device)) {
 *   ...
 *   long peak = mine.ledger().peakBytes();
 * }
 * }</pre>
 *
 * <p>One for each device may be open; of two for the same device the inner one books.
 */
public final class ThreadLedger implements AutoCloseable {
  private static final ThreadLocal<@Nullable ThreadLedger> CURRENT = new ThreadLocal<>();

  private final Device device;
  private final MemoryLedger ledger = new MemoryLedger();
  private final @Nullable ThreadLedger outer;

  private ThreadLedger(Device device, @Nullable ThreadLedger outer) {
    this.device = device;
    this.outer = outer;
  }

  /** Books what the calling thread allocates on {@code device} from now on. */
  public static ThreadLedger open(Device device) {
    ThreadLedger ledger = new ThreadLedger(device, CURRENT.get());
    CURRENT.set(ledger);
    return ledger;
  }

  static @Nullable MemoryLedger current(Device device) {
    ThreadLedger open = CURRENT.get();
    while (open != null && !open.device.equals(device)) {
      open = open.outer;
    }
    return open == null ? null : open.ledger;
  }

  /** The bytes of this thread. */
  public MemoryLedger ledger() {
    return ledger;
  }

  /** Books nothing more; what is alive leaves the ledger when it is freed, whoever frees it. */
  @Override
  public void close() {
    CURRENT.set(outer);
  }
}
