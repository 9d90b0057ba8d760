package dev.duoka.train.device;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;

/** The memory that this process uses on a device; the CPU's is that of the whole process. */
public final class DeviceMemory {
  private DeviceMemory() {}

  /** In use now, as the driver (GPU) or the operating system (CPU) counts it. */
  public static Gpus.MemoryInUse inUse(Device device) {
    return device.isCuda()
        ? Gpus.memoryInUse(device)
        : new Gpus.MemoryInUse(ProcessMemory.residentBytes(), false);
  }

  /** The most bytes so far: of tensors on a GPU, of the process on the CPU. */
  public static long peakBytes(Device device) {
    return device.isCuda()
        ? MemoryLedger.of(device).peakBytes()
        : ProcessMemory.peakResidentBytes();
  }
}
