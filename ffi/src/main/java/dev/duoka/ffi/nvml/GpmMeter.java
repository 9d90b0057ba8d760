package dev.duoka.ffi.nvml;

import dev.duoka.base.DuokaException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A device's own counters ("GPU performance monitoring"), which Hopper and later have: each reading
 * is of the time since the one before. Its two samples are kept until the process ends. One thread.
 */
public final class GpmMeter {
  /** {@code nvmlGpmMetricId_t}: those in per cent, and those in MiB a second. */
  private static final int SM_UTIL = 2;

  private static final int ANY_TENSOR_UTIL = 5;
  private static final int DRAM_BW_UTIL = 10;
  private static final int PCIE_SENT = 20;
  private static final int PCIE_RECEIVED = 21;
  private static final int NVLINK_RECEIVED = 60;
  private static final int NVLINK_SENT = 61;
  private static final List<Integer> METRICS =
      List.of(
          SM_UTIL,
          ANY_TENSOR_UTIL,
          DRAM_BW_UTIL,
          PCIE_SENT,
          PCIE_RECEIVED,
          NVLINK_RECEIVED,
          NVLINK_SENT);

  private static final double MEBI = 1 << 20;

  /** A reading over a longer time would tell of a time in which nobody looked. */
  private static final long LONGEST_NANOS = 5_000_000_000L;

  private final NvmlReader reader;
  private final long device;
  private final LongSupplier nanoTime;
  private boolean isOpen;
  private Optional<Samples> samples = Optional.empty();
  private boolean hasEarlier;
  private long earlierNanos;

  /** Handles of the sample that was taken last and of the one that is taken next. */
  private record Samples(long earlier, long later) {
    Samples swapped() {
      return new Samples(later, earlier);
    }
  }

  GpmMeter(NvmlReader reader, long device, LongSupplier nanoTime) {
    this.reader = reader;
    this.device = device;
    this.nanoTime = nanoTime;
  }

  /**
   * What the device did since the last reading. Nothing at the first, after a pause, and on a
   * device, driver or user without these counters.
   *
   * @throws DuokaException when the device is broken
   */
  public GpmReading read() {
    if (!isOpen) {
      samples = open();
      isOpen = true;
    }
    return samples.map(this::read).orElse(GpmReading.NONE);
  }

  private Optional<Samples> open() {
    boolean isSupported =
        reader
            .read(NvmlFunction.GPM_SUPPORT, device)
            .filter(reply -> reply.number(1) != 0)
            .isPresent();
    return isSupported
        ? reader
            .number(NvmlFunction.GPM_SAMPLE_ALLOC)
            .flatMap(
                first ->
                    reader
                        .number(NvmlFunction.GPM_SAMPLE_ALLOC)
                        .map(second -> new Samples(first, second)))
        : Optional.empty();
  }

  private GpmReading read(Samples handles) {
    boolean isTaken = reader.read(NvmlFunction.GPM_SAMPLE_GET, device, handles.later()).isPresent();
    long now = nanoTime.getAsLong();
    boolean isRecent = hasEarlier && now - earlierNanos < LONGEST_NANOS;
    hasEarlier = isTaken;
    earlierNanos = now;
    samples = Optional.of(handles.swapped());
    return isTaken && isRecent
        ? reading(reader.gpm(handles.earlier(), handles.later(), METRICS))
        : GpmReading.NONE;
  }

  private static GpmReading reading(Map<Integer, Double> values) {
    return new GpmReading(
        Optional.ofNullable(values.get(SM_UTIL)),
        Optional.ofNullable(values.get(ANY_TENSOR_UTIL)),
        Optional.ofNullable(values.get(DRAM_BW_UTIL)),
        Traffic.of(bytes(values, NVLINK_SENT), bytes(values, NVLINK_RECEIVED)),
        Traffic.of(bytes(values, PCIE_SENT), bytes(values, PCIE_RECEIVED)));
  }

  private static Optional<Long> bytes(Map<Integer, Double> values, int metric) {
    return Optional.ofNullable(values.get(metric)).map(mebibytes -> Math.round(mebibytes * MEBI));
  }
}
