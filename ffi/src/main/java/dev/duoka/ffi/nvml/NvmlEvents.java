package dev.duoka.ffi.nvml;

import dev.duoka.base.DuokaException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Errors of devices as the driver reports them, from the time on at which this was opened. One
 * thread.
 */
public final class NvmlEvents {
  private static final long DOUBLE_BIT_ECC = 2;
  private static final long XID = 8;

  private final NvmlReader reader;
  private final long set;
  private final Map<Long, Integer> indexes;

  private NvmlEvents(NvmlReader reader, long set, Map<Long, Integer> indexes) {
    this.reader = reader;
    this.set = set;
    this.indexes = indexes;
  }

  /**
   * An error.
   *
   * @param index the device's, as nvidia-smi counts
   * @param xid the driver's number of it; 0 for an error of the memory that could not be corrected
   */
  public record Event(int index, int xid) {}

  /** Listens to all devices; empty where the driver reports no errors. */
  static Optional<NvmlEvents> open(NvmlReader reader, List<NvmlDevice> devices) {
    Optional<Long> set = reader.number(NvmlFunction.EVENT_SET_CREATE);
    if (set.isEmpty()) {
      return Optional.empty();
    }
    Map<Long, Integer> indexes = new HashMap<>();
    for (NvmlDevice device : devices) {
      if (reader
          .read(NvmlFunction.REGISTER_EVENTS, device.handle(), XID | DOUBLE_BIT_ECC, set.get())
          .isPresent()) {
        indexes.put(device.handle(), device.index());
      }
    }
    return Optional.of(new NvmlEvents(reader, set.get(), indexes));
  }

  /**
   * The next error; returns at once, unless a card is lost: then perhaps never.
   *
   * @throws DuokaException when the driver itself fails
   */
  public Optional<Event> next() {
    return reader
        .event(set)
        .map(
            reply ->
                new Event(
                    indexes.getOrDefault(reply.number(0), -1),
                    reply.number(1) == XID ? (int) reply.number(2) : 0));
  }
}
