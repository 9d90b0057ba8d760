package dev.duoka.ffi.nvml;

import java.util.Optional;

/** How far apart two devices are; the codes are those of {@code nvmlGpuTopologyLevel_t}. */
public enum TopologyLevel {
  /** On one board. */
  INTERNAL(0),
  /** Behind one PCIe switch (nvidia-smi's PIX). */
  SINGLE_SWITCH(10),
  /** Behind several PCIe switches, without the host bridge (PXB). */
  MULTIPLE_SWITCHES(20),
  /** On one PCIe host bridge (PHB). */
  HOST_BRIDGE(30),
  /** In one NUMA node (NODE). */
  NUMA_NODE(40),
  /** Across NUMA nodes (SYS). */
  SYSTEM(50);

  private final int code;

  TopologyLevel(int code) {
    this.code = code;
  }

  static Optional<TopologyLevel> of(int code) {
    for (TopologyLevel level : values()) {
      if (level.code == code) {
        return Optional.of(level);
      }
    }
    return Optional.empty(); // the header leaves room for levels between these
  }
}
