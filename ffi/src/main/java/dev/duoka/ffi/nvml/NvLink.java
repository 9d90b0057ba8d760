package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * One NVLink of a device.
 *
 * @param link its number on the device
 * @param active whether it is up
 * @param version NVML's number of the NVLink version
 * @param remote what is at the other end
 * @param remotePciBusId where that is on the PCI bus
 */
public record NvLink(
    int link,
    boolean active,
    Optional<Integer> version,
    Optional<Remote> remote,
    Optional<String> remotePciBusId) {

  /** What is at the other end; the codes are those of {@code nvmlIntNvLinkDeviceType_t}. */
  public enum Remote {
    /** Another GPU. */
    GPU,
    /** A POWER processor. */
    IBM_NPU,
    /** An NVSwitch. */
    SWITCH,
    /** The driver does not know. */
    UNKNOWN;

    static Remote of(int code) {
      return switch (code) {
        case 0 -> GPU;
        case 1 -> IBM_NPU;
        case 2 -> SWITCH;
        default -> UNKNOWN;
      };
    }
  }
}
