package dev.duoka.ffi.cuda;

/**
 * A device's memory as the driver reports it, all processes counted.
 *
 * @param free bytes that can still be allocated
 * @param total bytes that the device offers to programs
 */
public record DeviceMemory(long free, long total) {
  /** Bytes in use by all processes and by the driver itself. */
  public long used() {
    return total - free;
  }
}
