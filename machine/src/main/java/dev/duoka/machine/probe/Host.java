package dev.duoka.machine.probe;

/**
 * The host.
 *
 * @param cpu the processor's name
 * @param processors hardware threads of the machine
 * @param allowedProcessors hardware threads that this process may run on
 * @param allowedList those threads as the kernel lists them, for example {@code 0-31,64-95}
 * @param numaNodes NUMA nodes with processors
 * @param memory bytes of memory
 * @param memoryAvailable bytes that programs can still take
 * @param shm bytes that {@code /dev/shm} may hold
 * @param lockedMemory bytes of memory that a process may lock; {@link #UNLIMITED} without a limit
 * @param openFiles files that a process may have open
 * @param cgroupMemory bytes that the control group may use; {@link #UNLIMITED} without a limit
 * @param cgroupCpus processors' worth of time that the control group may use
 * @param container the kind of container that this is in, for example {@code docker}; {@code none}
 *     outside
 * @param iommu what the kernel says of the IOMMU: {@code off}, {@code passthrough}, {@code
 *     translating}
 * @param kernel the kernel's version
 */
public record Host(
    Reading<String> cpu,
    Reading<Integer> processors,
    Reading<Integer> allowedProcessors,
    Reading<String> allowedList,
    Reading<Integer> numaNodes,
    Reading<Long> memory,
    Reading<Long> memoryAvailable,
    Reading<Long> shm,
    Reading<Long> lockedMemory,
    Reading<Long> openFiles,
    Reading<Long> cgroupMemory,
    Reading<Double> cgroupCpus,
    Reading<String> container,
    Reading<String> iommu,
    Reading<String> kernel) {
  /** What stands for "no limit". */
  public static final long UNLIMITED = Long.MAX_VALUE;
}
