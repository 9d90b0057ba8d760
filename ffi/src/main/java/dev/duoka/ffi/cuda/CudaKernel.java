package dev.duoka.ffi.cuda;

import dev.duoka.base.CacheFolder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A kernel of ours: CUDA C++ that is compiled at its first use on this machine, loaded at its first
 * use on each device, and launched on LibTorch's current stream. Make one constant per kernel.
 *
 * <pre>{@code
 * KERNEL.call(device).grid(blocks).block(256).pointer(x).longInteger(n).launch();
 * }</pre>
 *
 * <p>Thread-safe.
 */
public final class CudaKernel {
  /** GPUs that the driver can show a process. */
  private static final int MOST_DEVICES = 64;

  private static final Map<Nvrtc, KernelCache> CACHES = new ConcurrentHashMap<>();

  /**
   * By device, each in a map of its own: while a module is loaded the driver waits for what runs on
   * that device, and that may wait for a rank which loads another on its device.
   */
  private static final Map<Integer, Map<KernelSource, CudaModule>> MODULES =
      new ConcurrentHashMap<>();

  private final KernelSource source;
  private final String entry;
  private final int dynamicSharedMemory;

  /** By device; no map, for the same reason. */
  private final AtomicReferenceArray<@Nullable CudaFunction> functions =
      new AtomicReferenceArray<>(MOST_DEVICES);

  private CudaKernel(KernelSource source, String entry, int dynamicSharedMemory) {
    this.source = source;
    this.entry = entry;
    this.dynamicSharedMemory = dynamicSharedMemory;
  }

  /**
   * Names a kernel.
   *
   * @param source what it is compiled from; several kernels may share it
   * @param entry its name, declared {@code extern "C"}
   */
  public static CudaKernel of(KernelSource source, String entry) {
    return new CudaKernel(source, entry, 0);
  }

  /** The same kernel, allowed to ask for more dynamic shared memory than 48 KiB per block. */
  public CudaKernel withDynamicSharedMemory(int bytes) {
    return new CudaKernel(source, entry, bytes);
  }

  /** The kernel on a device, compiled and loaded if it was not yet. */
  public CudaFunction on(int device) {
    CudaFunction function = functions.get(device);
    if (function != null) {
      return function;
    }
    CudaFunction loaded = load(device);
    functions.set(device, loaded);
    return loaded;
  }

  /** Starts a launch on a device; {@link KernelCall#launch()} ends it. */
  public KernelCall call(int device) {
    return KernelCall.of(on(device));
  }

  private CudaFunction load(int ordinal) {
    CudaDevice device = CudaDriver.find().orElseThrow().device(ordinal);
    CudaModule module =
        MODULES
            .computeIfAbsent(ordinal, _ -> new ConcurrentHashMap<>())
            .computeIfAbsent(source, _ -> load(device));
    CudaFunction function = module.function(entry);
    if (dynamicSharedMemory > 0) {
      function.allowDynamicSharedMemory(dynamicSharedMemory);
    }
    return function;
  }

  private CudaModule load(CudaDevice device) {
    KernelCache cache =
        CACHES.computeIfAbsent(
            Nvrtc.find().orElseThrow(), nvrtc -> new KernelCache(CacheFolder.of("kernels"), nvrtc));
    String architecture = device.computeCapability().architecture();
    return device.load(source.name(), cache.cubin(source, architecture));
  }
}
