package dev.duoka.machine.probe;

/** What sources say of the host, as text. */
enum HostField {
  CPU,
  PROCESSORS,
  ALLOWED,
  NUMA_NODES,
  /** Bytes. */
  MEMORY,
  /** Bytes. */
  MEMORY_AVAILABLE,
  /** Bytes. */
  SHM,
  /** Bytes, or {@code unlimited}. */
  LOCKED_MEMORY,
  /** A number, or {@code unlimited}. */
  OPEN_FILES,
  /** Bytes, or {@code max}. */
  CGROUP_MEMORY,
  /** Processors, or {@code max}. */
  CGROUP_CPUS,
  CONTAINER,
  IOMMU,
  KERNEL
}
