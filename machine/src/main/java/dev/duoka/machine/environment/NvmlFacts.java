package dev.duoka.machine.environment;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.cuda.CudaVersion;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.MemoryUse;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The GPUs as NVIDIA's management library shows them: all of the machine, also hidden ones.
 *
 * @param driverVersion for example {@code 580.65.06}; empty without a driver
 * @param cudaVersion the newest CUDA version that the driver supports
 * @param devices the devices by nvidia-smi's number
 * @param problem why the library cannot be used; empty when it can
 */
public record NvmlFacts(
    Optional<String> driverVersion,
    Optional<String> cudaVersion,
    List<Device> devices,
    Optional<String> problem) {

  /**
   * One GPU.
   *
   * @param index nvidia-smi's number
   * @param name the product's name
   * @param uuid its identity
   * @param totalMemory bytes of memory
   * @param freeMemory bytes that are free
   * @param problem why it cannot be asked; empty when it can
   */
  public record Device(
      int index,
      Optional<String> name,
      Optional<String> uuid,
      Optional<Long> totalMemory,
      Optional<Long> freeMemory,
      Optional<String> problem) {}

  /** Keeps a copy of the list. */
  public NvmlFacts {
    devices = List.copyOf(devices);
  }

  /** The free memory of the device with an identity. */
  Optional<Long> freeMemory(String uuid) {
    return devices.stream()
        .filter(device -> device.uuid().filter(uuid::equalsIgnoreCase).isPresent())
        .findFirst()
        .flatMap(Device::freeMemory);
  }

  static NvmlFacts collect() {
    return switch (Nvml.find()) {
      case Presence.Absent<Nvml>(String reason, _) ->
          new NvmlFacts(Optional.empty(), Optional.empty(), List.of(), Optional.of(reason));
      case Presence.Present<Nvml>(Nvml nvml) -> {
        List<Device> devices = new ArrayList<>();
        for (NvmlDevice device : nvml.devices()) {
          devices.add(device(device));
        }
        yield new NvmlFacts(
            nvml.driverVersion(),
            nvml.cudaDriverVersion().map(CudaVersion::toString),
            devices,
            Optional.empty());
      }
    };
  }

  private static Device device(NvmlDevice device) {
    try {
      Optional<MemoryUse> memory = device.memory();
      return new Device(
          device.index(),
          device.name(),
          device.uuid(),
          memory.map(MemoryUse::total),
          memory.map(MemoryUse::free),
          Optional.empty());
    } catch (DuokaException e) { // a lost GPU must not hide the others
      return new Device(
          device.index(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.ofNullable(e.getMessage()));
    }
  }
}
