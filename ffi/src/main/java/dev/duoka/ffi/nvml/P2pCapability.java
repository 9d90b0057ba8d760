package dev.duoka.ffi.nvml;

/** A way to reach another device's memory; the codes are those of {@code nvmlGpuP2PCapsIndex_t}. */
public enum P2pCapability {
  /** Reading. */
  READ(0),
  /** Writing. */
  WRITE(1),
  /** Over NVLink. */
  NVLINK(2),
  /** Atomic operations. */
  ATOMICS(3);

  private final int code;

  P2pCapability(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
