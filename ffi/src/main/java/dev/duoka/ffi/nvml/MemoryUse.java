package dev.duoka.ffi.nvml;

/**
 * A device's memory, all processes counted.
 *
 * @param total bytes of the device
 * @param reserved bytes that the driver and firmware keep for themselves; 0 when not told
 * @param free bytes that can still be allocated
 * @param used bytes in use
 */
public record MemoryUse(long total, long reserved, long free, long used) {}
