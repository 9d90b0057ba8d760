package dev.duoka.tensor;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A device has no room for a tensor. Knows what the calling thread held at that moment, which is
 * gone when somebody hears of it: its own {@link ThreadLedger} where one is open, else the
 * device's.
 */
public final class OutOfMemoryException extends DuokaException {
  private static final long serialVersionUID = 1L;

  private final transient Device device;
  private final transient Map<MemoryOwner, Long> held;
  private final long bytes;
  private final long available;

  private OutOfMemoryException(
      Device device,
      String problem,
      long bytes,
      long available,
      MemoryLedger ledger,
      String remedy,
      @Nullable Throwable cause) {
    super(
        ErrorCode.OUT_OF_MEMORY,
        problem + "; " + MemoryLedger.of(device).describe(),
        remedy,
        cause);
    this.device = device;
    this.bytes = bytes;
    this.held = Map.copyOf(ledger.liveByOwner());
    this.available = available;
  }

  /**
   * An allocation that failed.
   *
   * @param bytes that were asked for
   */
  public static OutOfMemoryException of(
      Device device, long bytes, String remedy, @Nullable Throwable cause) {
    return of(device, allocating(device, bytes), bytes, remedy, cause);
  }

  /**
   * An operator that failed for want of memory; how much it asked for is not known.
   *
   * @param problem what was tried
   */
  public static OutOfMemoryException during(
      Device device, String problem, String remedy, @Nullable Throwable cause) {
    return of(device, problem, 0, remedy, cause);
  }

  private static OutOfMemoryException of(
      Device device, String problem, long bytes, String remedy, @Nullable Throwable cause) {
    MemoryLedger mine = ThreadLedger.current(device);
    MemoryLedger ledger = mine == null ? MemoryLedger.of(device) : mine;
    return new OutOfMemoryException(
        device,
        problem,
        bytes,
        Math.min(ledger.liveBytes(), ledger.limit()),
        ledger,
        remedy,
        cause);
  }

  private static String allocating(Device device, long bytes) {
    return "cannot allocate " + ByteSize.text(bytes) + " on " + device;
  }

  /** An allocation that goes beyond the limit of the calling thread. */
  static OutOfMemoryException beyond(
      MemoryLedger ledger, Device device, long bytes, String remedy) {
    return new OutOfMemoryException(
        device, allocating(device, bytes), bytes, ledger.limit(), ledger, remedy, null);
  }

  /** The device. */
  public Device device() {
    return device;
  }

  /** What was asked for, in bytes; 0 where an operator asked, and did not say. */
  public long bytes() {
    return bytes;
  }

  /** Live bytes of each owner when it was asked for. */
  public Map<MemoryOwner, Long> held() {
    return held;
  }

  /** Bytes that are known to be there for the calling thread: what it held, or its limit. */
  public long available() {
    return available;
  }
}
