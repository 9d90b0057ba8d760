package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * What a device did between two moments, on average, by its own counters.
 *
 * @param multiprocessors per cent of their time in which they had something to do
 * @param tensorCores per cent of their time in which they computed
 * @param memory per cent of the device memory's highest rate
 * @param nvLink bytes a second over all NVLinks
 * @param pcie bytes a second over the bus
 */
public record GpmReading(
    Optional<Double> multiprocessors,
    Optional<Double> tensorCores,
    Optional<Double> memory,
    Optional<Traffic> nvLink,
    Optional<Traffic> pcie) {
  /** Nothing is known. */
  public static final GpmReading NONE =
      new GpmReading(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
}
