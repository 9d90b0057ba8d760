package dev.duoka.ffi.nvml;

/**
 * Whether a way to reach another device works; the codes are those of {@code nvmlGpuP2PStatus_t}.
 */
public enum P2pStatus {
  /** It works. */
  OK,
  /** The chipset does not support it. */
  CHIPSET_NOT_SUPPORTED,
  /** A GPU does not support it. */
  GPU_NOT_SUPPORTED,
  /** The path between the devices does not support it. */
  TOPOLOGY_NOT_SUPPORTED,
  /** A driver setting turned it off. */
  DISABLED_BY_DRIVER_SETTING,
  /** It is not supported. */
  NOT_SUPPORTED,
  /** The driver does not know. */
  UNKNOWN;

  static P2pStatus of(int code) {
    return switch (code) {
      case 0 -> OK;
      case 1 -> CHIPSET_NOT_SUPPORTED;
      case 2 -> GPU_NOT_SUPPORTED;
      case 3 -> TOPOLOGY_NOT_SUPPORTED;
      case 4 -> DISABLED_BY_DRIVER_SETTING;
      case 5 -> NOT_SUPPORTED;
      default -> UNKNOWN;
    };
  }
}
