package dev.duoka.machine.environment;

import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.library.DeviceCode;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.Presence;
import java.util.List;
import java.util.Optional;

/**
 * The GPUs as the CUDA driver shows them.
 *
 * @param usable whether the loaded LibTorch can compute on all of them
 * @param problem why not; empty when it can
 * @param remedy what to do about it; empty when it can
 * @param driverSupports the newest CUDA version that the driver supports; empty without a driver
 * @param architectures what the CUDA build of LibTorch has code for, for example {@code sm_80
 *     sm_90}; empty for a CPU build
 * @param devices the devices that this process sees
 */
public record CudaFacts(
    boolean usable,
    Optional<String> problem,
    Optional<String> remedy,
    Optional<String> driverSupports,
    Optional<String> architectures,
    List<Device> devices) {

  /**
   * One GPU.
   *
   * @param device its name in this project, for example {@code cuda:0}
   * @param name the product's name
   * @param computeCapability for example {@code 9.0}
   * @param totalMemory bytes of memory
   * @param freeMemory bytes that are free, where NVML tells
   * @param uuid its identity, as nvidia-smi prints it
   * @param pciBusId its place on the PCI bus
   * @param hasCode whether the loaded LibTorch has code for it; empty for a CPU build
   */
  public record Device(
      String device,
      String name,
      String computeCapability,
      long totalMemory,
      Optional<Long> freeMemory,
      String uuid,
      String pciBusId,
      Optional<Boolean> hasCode) {}

  /** Keeps a copy of the list. */
  public CudaFacts {
    devices = List.copyOf(devices);
  }

  static CudaFacts collect(Optional<LibraryChoice> torch, NvmlFacts nvml) {
    Presence<CudaDriver> driver = CudaDriver.find();
    Optional<DeviceCode> code =
        torch.filter(LibraryChoice::cuda).flatMap(CudaAvailability::deviceCode);
    Optional<String> version = driver.optional().map(d -> d.version().toString());
    Optional<String> architectures = code.map(DeviceCode::text);
    List<Device> devices =
        driver.optional().map(CudaDriver::devices).orElse(List.of()).stream()
            .map(device -> device(device, code, nvml))
            .toList();
    if (torch.isEmpty()) {
      return new CudaFacts(
          false,
          Optional.of("no LibTorch is loaded"),
          Optional.empty(),
          version,
          architectures,
          devices);
    }
    return switch (CudaAvailability.check()) {
      case CudaAvailability.Usable _ ->
          new CudaFacts(true, Optional.empty(), Optional.empty(), version, architectures, devices);
      case CudaAvailability.NotUsable(_, String reason, String remedy) ->
          new CudaFacts(
              false, Optional.of(reason), Optional.of(remedy), version, architectures, devices);
    };
  }

  private static Device device(CudaDevice device, Optional<DeviceCode> code, NvmlFacts nvml) {
    ComputeCapability capability = device.computeCapability();
    return new Device(
        device.toString(),
        device.name(),
        capability.toString(),
        device.totalMemory(),
        nvml.freeMemory(device.uuid()),
        device.uuid(),
        device.pciBusId(),
        code.map(c -> c.runsOn(capability.major(), capability.minor())));
  }
}
