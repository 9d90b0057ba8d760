package dev.duoka.ffi.nvml;

/** A way to reach another device's memory; the codes are those of {@code nvmlGpuP2PCapsIndex_t}. */
public enum P2pCapability {
  /** Reading. */
  READ,
  /** Writing. */
  WRITE,
  /** Over NVLink. */
  NVLINK,
  /** Atomic operations. */
  ATOMICS;

  int code() {
    return ordinal();
  }
}
