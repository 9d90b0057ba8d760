package dev.duoka.machine.probe;

import dev.duoka.ffi.nvml.Traffic;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Rates from counters that only rise, each between two readings. One thread. */
final class LinkMeter {
  private final Supplier<Optional<Traffic>> counters;
  private final LongSupplier nanoTime;
  private Optional<Traffic> last = Optional.empty();
  private long lastNanos;

  /**
   * A meter.
   *
   * @param counters bytes since some time; empty where there are none
   */
  LinkMeter(Supplier<Optional<Traffic>> counters, LongSupplier nanoTime) {
    this.counters = counters;
    this.nanoTime = nanoTime;
  }

  /** The rate since the last reading; empty at the first, and where a counter began anew. */
  Optional<LinkRate> rate() {
    Optional<Traffic> now = counters.get();
    long nanos = nanoTime.getAsLong();
    double seconds = (nanos - lastNanos) * 1e-9;
    Optional<LinkRate> rate =
        now.flatMap(
            later ->
                last.map(
                    before ->
                        new LinkRate(
                            (later.sent() - before.sent()) / seconds,
                            (later.received() - before.received()) / seconds)));
    last = now;
    lastNanos = nanos;
    return rate.filter(it -> it.sent() >= 0 && it.received() >= 0);
  }
}
