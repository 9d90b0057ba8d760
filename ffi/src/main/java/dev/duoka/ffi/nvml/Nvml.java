package dev.duoka.ffi.nvml;

import dev.duoka.ffi.cuda.CudaVersion;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.SharedLibrary;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * NVIDIA's management library, {@code libnvidia-ml.so.1}: what nvidia-smi shows. It only reads;
 * nothing here changes a setting. Initialised once, never shut down. Thread-safe.
 *
 * <p>It shows all devices of the machine, in PCI order, whatever {@code CUDA_VISIBLE_DEVICES} says:
 * match them to CUDA's devices by {@link NvmlDevice#uuid}.
 */
public final class Nvml {
  private static final String REMEDY =
      "It comes with NVIDIA's driver; a container needs the driver's 'utility' capability"
          + " (NVIDIA_DRIVER_CAPABILITIES=compute,utility)";

  private static final class Found {
    static final Presence<Nvml> NVML = open(List.of("libnvidia-ml.so.1"));
  }

  private final NvmlReader reader;

  Nvml(NvmlCalls calls) {
    this.reader = new NvmlReader(calls);
  }

  /** The library, or why it cannot be used. Asked once per process. */
  public static Presence<Nvml> find() {
    return Found.NVML;
  }

  /** The driver's version, for example {@code 580.65.06}. */
  public Optional<String> driverVersion() {
    return reader.text(NvmlFunction.DRIVER_VERSION);
  }

  /** The library's own version. */
  public Optional<String> nvmlVersion() {
    return reader.text(NvmlFunction.NVML_VERSION);
  }

  /** The newest CUDA version that the driver supports. */
  public Optional<CudaVersion> cudaDriverVersion() {
    return reader.number(NvmlFunction.CUDA_DRIVER_VERSION).map(n -> CudaVersion.of(n.intValue()));
  }

  /** All devices of the machine that can be reached; a lost one is left out. */
  public List<NvmlDevice> devices() {
    List<NvmlDevice> devices = new ArrayList<>();
    long count = reader.number(NvmlFunction.DEVICE_COUNT).orElse(0L);
    for (int index = 0; index < count; index++) {
      int position = index;
      reader
          .number(NvmlFunction.DEVICE_BY_INDEX, index)
          .ifPresent(handle -> devices.add(new NvmlDevice(reader, position, handle)));
    }
    return devices;
  }

  /** The device with an identity as {@link dev.duoka.ffi.cuda.CudaDevice#uuid} prints it. */
  public Optional<NvmlDevice> device(String uuid) {
    return devices().stream()
        .filter(device -> device.uuid().filter(uuid::equalsIgnoreCase).isPresent())
        .findFirst();
  }

  /** Listens for errors from now on; empty where the driver reports none. */
  public Optional<NvmlEvents> events() {
    return NvmlEvents.open(reader, devices());
  }

  static Presence<Nvml> open(List<String> candidates) {
    return SharedLibrary.open(
        candidates, REMEDY, library -> initialize(library.name(), library.symbols()));
  }

  private static Presence<Nvml> initialize(String name, SymbolLookup symbols) {
    NativeNvml nvml = new NativeNvml(symbols);
    int code = nvml.init();
    return code == NvmlReply.SUCCESS
        ? Presence.of(new Nvml(nvml))
        : Presence.absent(
            "nvmlInit of " + name + " failed: " + nvml.describe(code) + " (" + code + ")",
            "Check that nvidia-smi works");
  }
}
