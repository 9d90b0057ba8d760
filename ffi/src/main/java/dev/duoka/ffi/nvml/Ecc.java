package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * Error correction of a device's memory.
 *
 * @param enabled whether it is on
 * @param enabledAfterReboot whether it will be on after the next reboot
 * @param corrected errors corrected since the driver was loaded
 * @param uncorrected errors that could not be corrected since the driver was loaded
 * @param remappedRows rows of memory taken out of service, over the device's life
 */
public record Ecc(
    boolean enabled,
    boolean enabledAfterReboot,
    Optional<Long> corrected,
    Optional<Long> uncorrected,
    Optional<RemappedRows> remappedRows) {

  /**
   * Rows of memory that were replaced by spare ones.
   *
   * @param corrected rows replaced for corrected errors
   * @param uncorrected rows replaced for uncorrected errors
   * @param pending whether a replacement waits for a reset of the device
   * @param failed whether a replacement failed: the device should be exchanged
   */
  public record RemappedRows(long corrected, long uncorrected, boolean pending, boolean failed) {}
}
