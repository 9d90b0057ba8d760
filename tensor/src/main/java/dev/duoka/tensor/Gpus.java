package dev.duoka.tensor;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.DeviceMemory;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** The GPUs that this process can compute on. */
public final class Gpus {
  /**
   * The answer to whether there are any.
   *
   * @param names of the usable GPUs in CUDA's order; empty when there is none
   * @param reason why there is none; empty when there are some
   */
  public record Answer(List<String> names, String reason) {
    /** Whether at least one GPU can be used. */
    public boolean usable() {
      return !names.isEmpty();
    }
  }

  private Gpus() {}

  /** Looks; loads LibTorch and the driver. */
  public static Answer find() {
    return switch (CudaAvailability.check()) {
      case CudaAvailability.Usable(List<CudaDevice> devices) ->
          new Answer(devices.stream().map(CudaDevice::name).toList(), "");
      case CudaAvailability.NotUsable(_, String reason, _) ->
          new Answer(List.of(), withoutCache(reason, CacheFolder.of("natives")));
    };
  }

  /**
   * The names of the usable GPUs.
   *
   * @throws DuokaException with the reason and the remedy when there is none
   */
  public static List<String> require() {
    return switch (CudaAvailability.check()) {
      case CudaAvailability.Usable(List<CudaDevice> devices) ->
          devices.stream().map(CudaDevice::name).toList();
      case CudaAvailability.NotUsable(_, String reason, String remedy) ->
          throw new DuokaException(
              ErrorCode.DEVICE,
              "a GPU was asked for, but " + withoutCache(reason, CacheFolder.of("natives")),
              remedy);
    };
  }

  /** The folder of our own natives is named after what is in it, which tells a user nothing. */
  static String withoutCache(String reason, Path natives) {
    return reason.replaceAll(" in " + Pattern.quote(natives + "/") + "\\S*", "");
  }

  /**
   * Where the usable GPUs are on the PCI bus, in CUDA's order, for example {@code 0000:1B:00.0}.
   */
  public static List<String> pciBusIds() {
    return CudaAvailability.check().orElseThrow().stream().map(CudaDevice::pciBusId).toList();
  }

  /** The identities of the usable GPUs, in CUDA's order, as nvidia-smi prints them. */
  public static List<String> uuids() {
    return CudaAvailability.check().orElseThrow().stream().map(CudaDevice::uuid).toList();
  }

  /** Whether a GPU can read and write another's memory, over NVLink or PCIe. */
  public static boolean reaches(Device from, Device to) {
    List<CudaDevice> gpus = CudaAvailability.check().orElseThrow();
    return gpus.get(from.index()).canAccessPeer(gpus.get(to.index()));
  }

  /**
   * Memory of a GPU in use, as the driver counts it.
   *
   * @param bytes in use
   * @param ofCard whether they are those of the whole card, other processes included
   */
  public record MemoryInUse(long bytes, boolean ofCard) {}

  /**
   * Memory of a whole card, as the driver counts it.
   *
   * @param free bytes that can still be allocated
   * @param total bytes
   */
  public record CardMemory(long free, long total) {}

  /**
   * Begins to open GPUs for this process, side by side and beside what the caller does: a context
   * takes the driver more than half a second. Returns at once; whoever uses a GPU waits for it, and
   * hears what is wrong with it.
   */
  public static void begin(Collection<Device> devices) {
    for (Device device : new HashSet<>(devices)) {
      if (device.isCuda()) {
        CudaDevice gpu = CudaAvailability.check().orElseThrow().get(device.index());
        Thread.ofPlatform()
            .daemon()
            .name("open-" + device)
            .start(
                () -> {
                  try {
                    gpu.useOnThisThread();
                  } catch (DuokaException e) {
                    return; // the next user meets it too, and says what it was for
                  }
                });
      }
    }
  }

  /** The memory of a GPU, all processes counted. */
  public static CardMemory memory(Device device) {
    DeviceMemory memory = CudaAvailability.check().orElseThrow().get(device.index()).memory();
    return new CardMemory(memory.free(), memory.total());
  }

  /** As {@link #memoryInUse}, for those who do not mind whose memory it is. */
  public static Optional<Long> memoryOfThisProcess(Device device) {
    return Optional.of(memoryInUse(device).bytes());
  }

  /**
   * The bytes of a GPU's memory that the driver books on this process, or, where it does not tell
   * (in some containers), all bytes in use on the card.
   */
  public static MemoryInUse memoryInUse(Device device) {
    CudaDevice gpu = CudaAvailability.check().orElseThrow().get(device.index());
    Optional<Long> ofProcess =
        Nvml.find() instanceof Presence.Present<Nvml>(Nvml nvml)
            ? nvml.device(gpu.uuid()).flatMap(NvmlDevice::memoryOfThisProcess)
            : Optional.empty();
    return inUse(ofProcess, gpu.memory().total() - gpu.memory().free());
  }

  static MemoryInUse inUse(Optional<Long> ofProcess, long ofCard) {
    return ofProcess
        .map(bytes -> new MemoryInUse(bytes, false))
        .orElseGet(() -> new MemoryInUse(ofCard, true));
  }
}
