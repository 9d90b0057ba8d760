package dev.duoka.tensor;

import dev.duoka.base.ByteSize;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The bytes of live tensors of one device, by owner, and their peak.
 *
 * <p>Counts storages, each once however many tensors view it, at the size that LibTorch gives it;
 * what a kernel allocates and frees inside one operator is not seen. On {@link Device#META} the
 * same counts come out without any memory being used. Thread-safe.
 */
public final class MemoryLedger {
  private static final Map<Device, MemoryLedger> LEDGERS = new ConcurrentHashMap<>();

  private final long[] live = new long[MemoryOwner.values().length];
  private final long[] atPeak = new long[MemoryOwner.values().length];
  private long total;
  private long peak;
  private long storages;

  private final long limit;

  MemoryLedger(long limit) {
    this.limit = limit;
  }

  /** Bytes that there may be. */
  long limit() {
    return limit;
  }

  /** The ledger of a device. */
  public static MemoryLedger of(Device device) {
    return LEDGERS.computeIfAbsent(device, _ -> new MemoryLedger(Long.MAX_VALUE));
  }

  /** Live bytes. */
  public synchronized long liveBytes() {
    return total;
  }

  /** The largest number of live bytes since the start or {@link #resetPeak}. */
  public synchronized long peakBytes() {
    return peak;
  }

  /** The number of live storages. */
  public synchronized long liveStorages() {
    return storages;
  }

  /** Live bytes of each owner that has any. */
  public synchronized Map<MemoryOwner, Long> liveByOwner() {
    return byOwner(live);
  }

  /** What each owner held when the peak was reached. */
  public synchronized Map<MemoryOwner, Long> peakByOwner() {
    return byOwner(atPeak);
  }

  /** Starts a new measurement of the peak from what is live now. */
  public synchronized void resetPeak() {
    peak = total;
    System.arraycopy(live, 0, atPeak, 0, live.length);
  }

  /** One line for errors and reports: the total and each owner's share, largest first. */
  public synchronized String describe() {
    StringBuilder text = new StringBuilder(ByteSize.text(total)).append(" live");
    liveByOwner().entrySet().stream()
        .sorted(Map.Entry.<MemoryOwner, Long>comparingByValue().reversed())
        .forEach(
            entry ->
                text.append(", ")
                    .append(entry.getKey().label())
                    .append(' ')
                    .append(ByteSize.text(entry.getValue())));
    return text.toString();
  }

  synchronized void add(MemoryOwner owner, long bytes) {
    live[owner.ordinal()] += bytes;
    total += bytes;
    storages++;
    if (total > peak) {
      peak = total;
      System.arraycopy(live, 0, atPeak, 0, live.length);
    }
  }

  synchronized void remove(MemoryOwner owner, long bytes) {
    live[owner.ordinal()] -= bytes;
    total -= bytes;
    storages--;
  }

  synchronized void move(MemoryOwner from, MemoryOwner to, long bytes) {
    live[from.ordinal()] -= bytes;
    live[to.ordinal()] += bytes;
  }

  private static Map<MemoryOwner, Long> byOwner(long[] bytes) {
    Map<MemoryOwner, Long> map = new EnumMap<>(MemoryOwner.class);
    for (MemoryOwner owner : MemoryOwner.values()) {
      if (bytes[owner.ordinal()] != 0) {
        map.put(owner, bytes[owner.ordinal()]);
      }
    }
    return map;
  }
}
