package dev.duoka.ffi.nvml;

/** Why clocks are below their maximum; bits of {@code nvmlClocksThrottleReasons}. */
public enum ThrottleReason {
  /** Nothing runs. */
  IDLE(0x1),
  /** Someone set the application clocks. */
  APPLICATION_CLOCKS(0x2),
  /** The power limit is reached. */
  POWER_CAP(0x4),
  /** The hardware halves the clocks or worse: heat, power brake or a fast power rise. */
  HARDWARE_SLOWDOWN(0x8),
  /** The clocks follow other GPUs of a sync boost group. */
  SYNC_BOOST(0x10),
  /** The chip or its memory is warmer than the driver wants. */
  SOFTWARE_THERMAL(0x20),
  /** The chip is too hot. */
  HARDWARE_THERMAL(0x40),
  /** The power supply asks for less. */
  HARDWARE_POWER_BRAKE(0x80),
  /** A display needs it. */
  DISPLAY_CLOCKS(0x100);

  private final long bit;

  ThrottleReason(long bit) {
    this.bit = bit;
  }

  /** Its bit in NVML's mask. */
  public long bit() {
    return bit;
  }
}
