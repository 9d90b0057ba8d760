package dev.duoka.tensor;

import java.util.Map;
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
  private final MemoryLedger ledger;
  private final @Nullable ThreadLedger outer;

  private ThreadLedger(Device device, long limit, @Nullable ThreadLedger outer) {
    this.device = device;
    this.ledger = new MemoryLedger(limit);
    this.outer = outer;
  }

  /** Books what the calling thread allocates on {@code device} from now on. */
  public static ThreadLedger open(Device device) {
    return open(device, Long.MAX_VALUE);
  }

  /**
   * As {@link #open(Device)}, of a thread that may not hold more than so many bytes: a tensor that
   * it asks for beyond that is refused, as on a device that is full. What operators allocate for
   * their results is booked all the same.
   */
  public static ThreadLedger open(Device device, long limit) {
    ThreadLedger ledger = new ThreadLedger(device, limit, CURRENT.get());
    CURRENT.set(ledger);
    return ledger;
  }

  /**
   * Refuses what goes beyond the limit of the calling thread; does nothing where it has none.
   *
   * @param remedy the next step of the refusal
   * @throws OutOfMemoryException if there is no room for so many bytes more
   */
  public static void requireRoom(Device device, long bytes, String remedy) {
    MemoryLedger ledger = current(device);
    if (ledger != null && bytes > ledger.limit() - ledger.liveBytes()) {
      throw OutOfMemoryException.beyond(ledger, device, bytes, remedy);
    }
  }

  /**
   * What the calling thread held on a device when that was most, by owner, since it was asked last;
   * nothing where it has no ledger.
   */
  public static Map<MemoryOwner, Long> takePeakByOwner(Device device) {
    MemoryLedger ledger = current(device);
    if (ledger == null) {
      return Map.of();
    }
    Map<MemoryOwner, Long> peak = ledger.peakByOwner();
    ledger.resetPeak();
    return peak;
  }

  /** The ledgers of one thread, for another that works for it meanwhile. */
  record Opened(@Nullable ThreadLedger innermost) {
    /** Books with them what the calling thread, which has none, allocates in {@code work}. */
    void book(Runnable work) {
      CURRENT.set(innermost);
      try {
        work.run();
      } finally {
        CURRENT.remove();
      }
    }
  }

  /** Those of the calling thread. */
  static Opened opened() {
    return new Opened(CURRENT.get());
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
